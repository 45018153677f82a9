"""The page's server with frames that change, and the requests a viewer sends it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.outputs.page.controls import Controls, Kept
from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.camera.outputs.page.server import Server, start_server
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
    host: str = "127.0.0.1",
    *,
    token: str | None = None,
    fps: float = 20.0,
    taps: Taps | None = None,
    kept: Kept | None = None,
) -> Iterator[tuple[Server, FramePublisher]]:
    """A server whose frame changes ``fps`` times a second; with 0 only the test publishes."""
    publisher, stop = FramePublisher(), threading.Event()
    publisher.publish_status(STATE)
    server = start_server(publisher, host, 0, token=token, controls=Controls(taps, kept))

    def play() -> None:
        colours = ["red", "green", "blue"]
        while fps and not stop.wait(1 / fps):
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


def post(
    server: Server, order: Any, path: str = "/truth", **headers: str | None
) -> tuple[int, bytes]:
    """As the page sends it; a header of None is left out."""
    body = order if isinstance(order, bytes) else json.dumps(order).encode()
    own = f"127.0.0.1:{server.port}"
    usual = {"Content-Type": "application/json", "Origin": f"http://{own}", "Host": own}
    given = {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        sent = {name: value for name, value in given.items() if value is not None}
        connection.request("POST", path, body, sent)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def watch_stream(server: Server, query: str = "") -> socket.socket:
    """A viewer that has asked for the MJPEG stream and read nothing of it yet."""
    viewer = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    viewer.sendall(f"GET /stream.mjpg{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return viewer
