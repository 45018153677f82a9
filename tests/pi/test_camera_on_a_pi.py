"""``camera`` on an emulated 64-bit Pi: headless, from the light wheel, answers as on this machine.

Decoders may differ between two builds of OpenCV: the tensors that were made of the frames there
are brought here, and the answers compared on those.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.tensors import dequantize_out
from tests.pi.conftest import User, answers_here, answers_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FRAMES = 12
STREAM_FPS = 2.0


@pytest.fixture(scope="module")
def clip(user: User) -> Path:
    file = user.home / "clip.mp4"
    done = user.run("signs", "video", "-o", file, "--seconds", FRAMES / 10, "--fps", 10)
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture(scope="module")
def stream(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The clip's frames as an MJPEG stream on loopback, and the same pictures as files."""
    folder = tmp_path_factory.mktemp("stream")
    video = cv2.VideoCapture(str(clip))
    pictures: list[bytes] = []
    while (read := video.read())[0] and len(pictures) < FRAMES:
        pictures.append(cv2.imencode(".jpg", read[1])[1].tobytes())
        (folder / f"{len(pictures):03d}.jpg").write_bytes(pictures[-1])

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
            self.end_headers()
            for picture in pictures:
                head = f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                time.sleep(1 / STREAM_FPS)
            self.wfile.write(b"--b--\r\n")

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()


def test_a_video_is_answered_as_here(
    user: User, pi64: str, light: tuple[str, ...], clip: Path, model: Path
) -> None:
    user.copy(clip, f"{pi64}:")
    scores = _scores(user, pi64, light, model, clip.name)
    told = user.ssh(
        pi64, *light, "-m", "edge_effnet", "camera", "--model", model.name, "--source", clip.name,
        "--every-frame", "--jsonl", "-", "--threads", "1",
    )  # fmt: skip
    assert len(scores) == FRAMES
    assert _answered(told) == _best(scores, model)


def test_a_stream_is_answered_as_here(
    user: User, pi64: str, light: tuple[str, ...], stream: tuple[str, Path], model: Path
) -> None:
    address, pictures = stream
    user.copy(pictures, f"{pi64}:stream")
    best = _best(_scores(user, pi64, light, model, "stream"), model)
    told = user.ssh(
        pi64, *light, "-m", "edge_effnet", "camera", "--model", model.name, "--source", address,
        "--jsonl", "-", "--threads", "1", "|", "head", "-n", "8",
    )  # fmt: skip
    answered = _answered(told)
    assert len(answered) >= 6  # the others of the eight lines are notes
    assert {number: best[number % FRAMES] for number in answered} == answered


def test_help_and_the_unit_for_systemd(user: User, pi64: str, light: tuple[str, ...]) -> None:
    command = (*light, "-m", "edge_effnet", "camera")
    assert "picamera2" in user.ssh(pi64, *command, "--help")
    unit = user.ssh(pi64, *command, "--model", "b0-int8.tflite", "--systemd")
    assert "User=pi" in unit
    assert "WorkingDirectory=/home/pi" in unit
    assert "ExecStart=/usr/bin/python3 -m edge_effnet camera --model b0-int8.tflite" in unit


def _scores(
    user: User, pi: str, light: tuple[str, ...], model: Path, source: str
) -> NDArray[np.float32]:
    """Scores, by the Pi's runtime, on the tensors the Pi makes of a source; they are the same
    here, but for the last SOFTMAX, whose exp is the C library's."""
    script = Path(__file__).with_name("camera_tensors.py")
    user.copy(script, f"{pi}:")
    user.ssh(pi, *light, script.name, model.name, source, "made.npy")
    tensors = user.home / "made.npy"
    user.copy(f"{pi}:made.npy", tensors)
    (there,) = answers_of(user, pi, model, tensors).values()
    (here,) = answers_here(sys.executable, model, tensors).values()
    assert np.abs(there.astype(int) - here.astype(int)).max() <= 1  # of 256
    form = open_classifier(model).output_format
    return dequantize_out(there.astype(form.dtype), form)


def _best(scores: NDArray[np.float32], model: Path) -> dict[int, tuple[str, float]]:
    labels = open_classifier(model).labels
    return {
        number: (labels[int(row.argmax())], float(row.max())) for number, row in enumerate(scores)
    }


def _answered(lines: str) -> dict[int, tuple[str, float]]:
    """Frame number: its own answer, from JSON lines."""
    parsed = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    return {
        line["frame"]: (line["raw"][0], line["raw"][1])
        for line in parsed
        if line["type"] == "answer"
    }
