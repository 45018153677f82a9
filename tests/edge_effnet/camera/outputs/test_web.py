"""The page over real sockets, and in Chromium where there is one."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.camera.outputs import web
from edge_effnet.camera.outputs.frame_publisher import FramePublisher
from edge_effnet.camera.outputs.web import Server, is_loopback, parse_address, start_server
from edge_effnet.errors import OutputError, UsageProblem
from tests.edge_effnet.camera.conftest import plain

STATE = {
    "source": "clip.mp4",
    "seconds": 12.0,
    "fps": 14.9,
    "limit_fps": None,
    "delay_ms": 21.4,
    "temperature_c": 61.5,
    "throttled": [],
    "captured": 300,
    "answered": 290,
    "dropped": 10,
    "model": {
        "name": "int8.tflite",
        "answer": "no-entry",
        "score": "0.93",
        "differs": False,
        "best": [["no-entry", 0.93], ["<b>stop</b>", 0.04]],
        "ms": 5.1,
    },
    "reference": {
        "name": "float32.tflite",
        "answer": "roundabout",
        "score": "0.95",
        "differs": True,
        "best": [["roundabout", 0.95], ["stop", 0.03]],
        "ms": 15.2,
    },
    "agreement": {
        "title": "Agreement",
        "figure": "97.3 %",
        "evidence": "95 % interval 94.1 to 98.8: 220 frames in 60 scenes",
        "difference": "mean score difference 0.0123",
        "frames": 220,
    },
    "history": [[second, 95 + second % 4] for second in range(40)],
    "disagreed": [["stop", "yield", 4]],
    "truth": {
        "title": "Right answers",
        "figures": ["92.5 %", "93.5 %"],
        "evidence": ["220 frames in 6 scenes: too few for an interval"] * 2,
    },
    "notes": ["the camera is back"],
}


@contextmanager
def serving(
    host: str = "127.0.0.1", *, token: str | None = None, fps: float = 20.0
) -> Iterator[tuple[Server, FramePublisher]]:
    """A server whose frame changes ``fps`` times a second."""
    publisher, stop = FramePublisher(), threading.Event()
    publisher.publish_status(STATE)
    server = start_server(publisher, host, 0, token=token)

    def play() -> None:
        colours = ["red", "green", "blue"]
        while not stop.wait(1 / fps):
            colours.append(colours.pop(0))
            publisher.publish(plain(colours[0], 320, 240))

    player = threading.Thread(target=play, daemon=True)
    player.start()
    try:
        yield server, publisher
    finally:
        stop.set()
        player.join()
        server.end()


def get(server: Server, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


def test_the_page_loads_nothing_from_elsewhere() -> None:
    with serving() as (server, _):
        status, headers, page = get(server, "/")
        assert status == 200
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        for path in ("/page.css", "/page.js"):
            assert get(server, path)[0] == 200
            page += get(server, path)[2]
        assert not re.search(rb"https?://", page)
        for path in ("/nothing", "/../web.py", "/page.html", "/%2e%2e/web.py"):
            assert get(server, path)[0] == 404


def test_frames_are_new_each_time_and_the_figures_are_json() -> None:
    with serving() as (server, _):
        after, seen = 0, []
        for _ in range(5):
            status, headers, data = get(server, f"/picture.jpg?after={after}")
            assert status == 200
            assert int(headers["X-Picture"]) > after
            after = int(headers["X-Picture"])
            seen.append(data)
        frame = cv2.imdecode(np.frombuffer(seen[0], np.uint8), cv2.IMREAD_COLOR)
        assert frame.shape == (240, 320, 3)
        assert len(set(seen)) > 1
        assert json.loads(get(server, "/state.json")[2]) == STATE
        assert get(server, "/picture.jpg?after=x")[0] == 200


def test_without_a_new_frame_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = FramePublisher.newest_jpeg
    monkeypatch.setattr(
        FramePublisher,
        "newest_jpeg",
        lambda self, after: waits(self, after, timeout_s=0.05),
    )
    publisher = FramePublisher()
    server = start_server(publisher, "127.0.0.1", 0)
    try:
        assert get(server, "/picture.jpg")[0] == 204
    finally:
        server.end()


def test_the_mjpeg_stream_is_one_our_own_reader_takes() -> None:
    from edge_effnet.camera.sources.mjpeg import open_mjpeg

    with serving() as (server, _):
        source = open_mjpeg(server.url + "stream.mjpg")
        assert source is not None
        for _ in range(3):
            shot = source.read()
            assert shot is not None
            assert shot.pixels.shape == (240, 320, 3)
        source.close()


def test_on_loopback_only_this_machines_names_are_answered() -> None:
    """Else a page anywhere could point its own name at 127.0.0.1 and read the camera."""
    with serving() as (server, _):
        assert server.token is None
        assert get(server, "/state.json", Host=f"localhost:{server.port}")[0] == 200
        assert get(server, "/state.json", Host=f"[::1]:{server.port}")[0] == 200
        assert get(server, "/state.json", Host="evil.example")[0] == 403
        assert get(server, "/state.json", Host="")[0] == 403


def test_off_loopback_every_request_needs_the_token() -> None:
    with serving("0.0.0.0") as (server, _):  # noqa: S104
        token = server.token
        assert token
        assert server.url.endswith(f"/?token={token}")
        for path in ("/", "/page.css", "/page.js", "/state.json", "/picture.jpg", "/stream.mjpg"):
            assert get(server, path)[0] == 403
            assert get(server, f"{path}?token={token[:-1]}")[0] == 403
        status, headers, _ = get(server, f"/?token={token}")
        assert status == 200
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        status, _, body = get(server, "/state.json", Cookie=cookie.split(";")[0])
        assert status == 200
        assert json.loads(body)["source"] == "clip.mp4"
        assert get(server, "/state.json", Cookie="edge-effnet-1=x; ; =")[0] == 403
    with serving("0.0.0.0") as (other, _):  # noqa: S104
        assert other.token != token


def test_a_token_of_ones_own() -> None:
    with serving("0.0.0.0", token="correct horse battery") as (server, _):  # noqa: S104, S106
        assert get(server, "/state.json?token=correct%20horse%20battery")[0] == 200
        assert get(server, "/state.json?token=caf%C3%A9")[0] == 403
    with pytest.raises(UsageProblem, match="too short"):
        start_server(FramePublisher(), "0.0.0.0", 0, token="1234")  # noqa: S104, S106


def test_several_viewers_share_one_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    encode = cv2.imencode
    monkeypatch.setattr(cv2, "imencode", lambda *given: encoded.append(1) or encode(*given))
    publisher = FramePublisher()
    server = start_server(publisher, "127.0.0.1", 0)
    try:
        for number in range(8):
            publisher.publish(plain("red", 320, 240))
            with ThreadPoolExecutor(6) as viewers:
                paths = [f"/picture.jpg?after={number}"] * 6
                replies = list(viewers.map(partial(get, server), paths))
            assert [status for status, *_ in replies] == [200] * 6
            assert len(encoded) == number + 1
        assert publisher.watched
    finally:
        server.end()


STREAM = "GET /stream.mjpg{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_the_boundary_of_the_stream_comes_right_after_each_frame() -> None:
    """A browser shows a frame only when it has read the boundary behind it."""
    publisher = FramePublisher()
    server = start_server(publisher, "127.0.0.1", 0)
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as viewer:
            viewer.sendall(STREAM.format("").encode())
            stream = viewer.makefile("rb")
            while stream.readline() != b"\r\n":
                pass
            assert stream.readline() == b"--frame\r\n"
            for colour in ("red", "blue"):  # no frame follows until this one is read
                publisher.publish(plain(colour, 8, 8))
                assert stream.readline() == b"Content-Type: image/jpeg\r\n"
                length = int(stream.readline().removeprefix(b"Content-Length: "))
                assert stream.readline() == b"\r\n"
                assert stream.read(length) == publisher.newest_jpeg(0)[1]  # type: ignore[index]
                assert stream.readline() == b"\r\n"
                assert stream.readline() == b"--frame\r\n"
    finally:
        server.end()


def test_a_slow_viewer_blocks_nothing() -> None:
    """One asks for the stream and never reads; others and the publisher go on."""
    with (
        serving(fps=50) as (server, publisher),
        socket.create_connection(("127.0.0.1", server.port)) as slow,
    ):
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.sendall(STREAM.format("").encode())
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
    with (
        serving() as (server, _),
        socket.create_connection(("127.0.0.1", server.port)) as first,
    ):
        first.sendall(STREAM.format("").encode())
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


def test_a_port_in_use_and_an_address_that_is_not_ours() -> None:
    with serving() as (server, _), pytest.raises(OutputError, match="is in use"):
        start_server(FramePublisher(), "127.0.0.1", server.port)
    with pytest.raises(OutputError, match="cannot be served"):
        start_server(FramePublisher(), "192.0.2.1", 8080)


def test_addresses() -> None:
    assert parse_address("127.0.0.1:80") == ("127.0.0.1", 80)
    assert parse_address(":8080") == parse_address("8080") == ("127.0.0.1", 8080)
    assert parse_address("[::1]:8080") == ("::1", 8080)
    for bad in ("", "host", "host:", "host:99999", "a:b"):
        with pytest.raises(UsageProblem, match="--serve"):
            parse_address(bad)
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.5", "camera.local")))  # noqa: S104


# In a browser


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found is None:
        pytest.skip("no Chromium here: the page is not tried in a browser")
    return found


def dom_of(browser: str, url: str, profile: Path, size: str = "390,844") -> str:
    """The page's elements after some seconds of its own time."""
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={profile}", f"--window-size={size}"),
            *("--virtual-time-budget=4000", "--dump-dom", url),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_the_page_in_a_browser(chromium: str, tmp_path: Path) -> None:
    with serving("0.0.0.0") as (server, _):  # noqa: S104
        local = f"http://127.0.0.1:{server.port}/"
        doms = [""] * 2

        def look(viewer: int) -> None:
            url = f"{local}?token={server.token}"
            doms[viewer] = dom_of(chromium, url, tmp_path / f"profile{viewer}")

        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(STREAM.format(f"?token={server.token}").encode())
            viewers = [threading.Thread(target=look, args=(number,)) for number in range(2)]
            for viewer in viewers:
                viewer.start()
            for viewer in viewers:
                viewer.join(150)
        for dom in doms:  # both viewers, beside one that takes nothing
            shown = re.search(r'data-frames="(\d+)"', dom)
            assert shown
            assert int(shown[1]) >= 3  # the frame changes
            assert 'src="blob:' in dom
            for text in ("no-entry", "roundabout", "97.3 %", "94.1 to 98.8", "14.9", ">62<"):
                assert text in dom
            assert "&lt;b&gt;stop" in dom  # a label is text, never markup
            assert 'd="M0.0 ' in dom  # the curve
            assert ">live<" in dom
        assert "403" in dom_of(chromium, local, tmp_path / "stranger")
