"""Several viewers at once: one encoding for all, and none can block the others."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import pytest

from edge_effnet.camera.outputs import web
from edge_effnet.camera.outputs.web import Server
from tests.edge_effnet.camera.conftest import plain
from tests.edge_effnet.camera.outputs.conftest import get, serving, watch_stream


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


def test_too_many_viewers_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MOST_VIEWERS", 1)
    with serving() as (server, _), watch_stream(server) as first:
        assert first.recv(100)
        assert get(server, "/state.json")[0] == 503


def test_connections_that_ask_nothing_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MOST_CONNECTIONS", 3)
    with serving() as (server, _):
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
        with pytest.raises(OSError):  # noqa: PT011 (closed or reset, as it comes)
            get(server, "/state.json")
        for connection in idle:
            connection.close()
        until = time.monotonic() + 20
        while server_answers(server) != 200 and time.monotonic() < until:
            time.sleep(0.05)
        assert server_answers(server) == 200


def server_answers(server: Server) -> int:
    try:
        return get(server, "/state.json")[0]
    except OSError:
        return 0
