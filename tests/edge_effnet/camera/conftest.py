"""Clips of plain colours, and an HTTP server that plays a network camera."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_effnet.cli import run
from edge_effnet.image.preprocessing import Pixels
from tests.edge_effnet.conftest import MakeModel, taught

RGB = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}
MakeClip = Callable[..., Path]
Cli = Callable[..., tuple[int, str, str]]
Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


def wait_for(done: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(0.01)
    assert done()


class FakeClock:
    """Seconds that pass only by waiting."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


def plain(colour: str, width: int = 64, height: int = 48) -> Pixels:
    """An image of one colour with a little noise, RGB height x width x 3."""
    noise = np.random.default_rng(1).integers(0, 20, (height, width, 3), dtype=np.uint8)
    return np.asarray(np.array(RGB[colour], np.uint8) + noise, np.uint8)


def jpeg(rgb: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes())


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run ``edge-effnet camera`` in this process: exit code, standard output and error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run(["camera", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def clip(tmp_path: Path) -> MakeClip:
    """Make a video: ``clip(["red"] * 10 + ["blue"] * 10, fps=20)``."""

    def make(colours: Sequence[str], fps: float = 20.0, name: str = "clip.mp4") -> Path:
        path = tmp_path / name
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(path), codec, fps, (64, 48))
        assert writer.isOpened()
        for colour in colours:
            writer.write(cv2.cvtColor(plain(colour), cv2.COLOR_RGB2BGR))
        writer.release()
        return path

    return make


@pytest.fixture
def http_camera() -> Iterator[Serve]:
    """Start a server on loopback that answers with a function; returns its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    answer(self)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def server_bind(self) -> None:
                self.socket.bind(self.server_address)
                self.server_address = self.socket.getsockname()

        server = Server(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/stream"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def send_stream(
    handler: BaseHTTPRequestHandler,
    parts: Iterator[bytes] | Sequence[bytes],
    *,
    length: bool = True,
) -> None:
    """Answer with an MJPEG stream of these parts."""
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
    handler.end_headers()
    for part in parts:
        size = f"Content-Length: {len(part)}\r\n" if length else ""
        head = f"--b\r\nContent-Type: image/jpeg\r\n{size}\r\n"
        handler.wfile.write(head.encode() + part + b"\r\n")
    handler.wfile.write(b"--b--\r\n")


@pytest.fixture
def recorded_model(
    tmp_path: Path,
    colour_model: MakeModel,
    colour_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> Path:
    """As ``taught_model``, with photos that a camera recorded, each with a press of its own."""
    for colour in ("red", "green"):
        folder = tmp_path / "photos" / colour
        folder.mkdir(parents=True)
        for number, photo in enumerate(sorted((colour_folder / colour).iterdir())):
            shutil.copyfile(photo, folder / f"burst-20261129-0900{number:02d}-1-0000.png")
    return taught(tmp_path / "photos", colour_model("base.tflite"), capsys)
