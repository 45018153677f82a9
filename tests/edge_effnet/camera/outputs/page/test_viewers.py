"""Several viewers at once: one encoding for all, and none can block the others."""

from __future__ import annotations

import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial

import cv2
import pytest

from edge_effnet.camera.outputs.page import handler
from edge_effnet.camera.outputs.page import server as page_server
from edge_effnet.camera.outputs.page.connections import Connections
from tests.edge_effnet.camera.conftest import plain, wait_for
from tests.edge_effnet.camera.outputs.page.conftest import get, serving, watch_stream


def test_several_viewers_share_one_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    encode = cv2.imencode
    monkeypatch.setattr(cv2, "imencode", lambda *given: encoded.append(1) or encode(*given))
    with serving(fps=0) as (server, publisher):
        for number in range(8):
            publisher.publish(plain("red", 320, 240))
            with ThreadPoolExecutor(6) as viewers:
                paths = [f"/picture.jpg?after={number}"] * 6
                replies = list(viewers.map(partial(get, server), paths))
            assert [status for status, *_ in replies] == [200] * 6
            assert len(encoded) == number + 1
        assert publisher.watched


def test_a_slow_viewer_blocks_nothing() -> None:
    """One asks for the stream and never reads; others and the publisher go on."""
    with serving(fps=50) as (server, publisher), watch_stream(server) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        time.sleep(1.0)  # its buffers fill up
        after = before = int(get(server, "/picture.jpg")[1]["X-Picture"])
        for _ in range(5):
            status, headers, _ = get(server, f"/picture.jpg?after={after}")
            assert status == 200
            after = int(headers["X-Picture"])
        assert after >= before + 5
        # Publishing is two assignments: a thousand of them take no time.
        began = time.monotonic()
        for _ in range(1000):
            publisher.publish(plain("red", 8, 8))
        assert time.monotonic() - began < 10


def test_too_many_streams_are_turned_away_and_the_page_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_server, "MOST_STREAMS", 1)
    with serving() as (server, _), watch_stream(server) as first:
        assert first.recv(100)
        assert get(server, "/stream.mjpg")[0] == 503
        assert [get(server, path)[0] for path in ("/", "/state.json", "/picture.jpg")] == [200] * 3


def test_too_many_that_wait_for_an_image_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "MOST_VIEWERS", 1)
    with serving(fps=0) as (server, publisher), ThreadPoolExecutor(2) as viewers:
        asked = [viewers.submit(get, server, "/picture.jpg") for _ in range(2)]
        wait_for(lambda: any(one.done() for one in asked))
        assert get(server, "/state.json")[0] == 200
        publisher.publish(plain("red"))
        assert {one.result()[0] for one in asked} == {200, 503}


@pytest.mark.parametrize("asked", [b"", b"GET /state.json HTTP/1.1\r\nX-A: "])
def test_connections_that_do_not_finish_their_request_make_room(asked: bytes) -> None:
    """More than one address may have, and more than there may be in all."""
    with serving() as (server, _), ExitStack() as open_connections:
        for count in range(3 * page_server.MOST_OF_ONE):
            idle = socket.create_connection(("127.0.0.1", server.port))
            open_connections.enter_context(idle)
            idle.sendall(asked)
            if count % 16 == 0:
                assert get(server, "/state.json")[0] == 200
        assert get(server, "/state.json")[0] == 200


def test_at_the_bound_the_longest_wait_ends_and_requests_in_work_stay() -> None:
    connections = Connections(3, 2)
    pairs = [socket.socketpair() for _ in range(6)]
    (a, _), (b, _), (c, far), (d, _), (e, _), (f, _) = pairs
    assert connections.admit(a, "1")
    connections.mark(a, waiting=False)
    assert connections.admit(c, "2")
    assert connections.admit(b, "3")
    connections.mark(b, waiting=False)
    far.settimeout(20)
    assert connections.admit(d, "4")  # three in all: c has waited
    assert far.recv(1) == b""
    connections.mark(d, waiting=False)
    assert not connections.admit(e, "5")  # all three are answered
    connections.release(d)
    assert connections.admit(e, "1")
    connections.mark(e, waiting=False)
    connections.release(b)
    assert not connections.admit(f, "1")  # its address has two
    for one in sum(pairs, ()):
        one.close()


def test_a_request_has_a_deadline_however_often_a_byte_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handler, "REQUEST_S", 0.5)
    with serving() as (server, _), socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        began = time.monotonic()
        with suppress(OSError):  # broken, once it has been closed
            while time.monotonic() - began < 20 and not readable(slow):
                slow.sendall(b"a")
                time.sleep(0.02)
        assert time.monotonic() - began < 10


def readable(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0)[0])
