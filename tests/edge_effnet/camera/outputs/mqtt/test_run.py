"""``edge-effnet camera --mqtt`` as a user starts it, with a real broker and a second client."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest

from tests.edge_effnet.camera.conftest import Cli, MakeClip, Serve, jpeg, plain, wait_for
from tests.edge_effnet.camera.outputs.mqtt.broker import broker, listening, password_line
from tests.edge_effnet.conftest import MakeModel

AVAILABILITY, ANSWER = "edge-effnet/porch/availability", "edge-effnet/porch/answer"
SECRET = "s3cr%2Fet"  # noqa: S105


@contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "edge_effnet", "camera", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.usefixtures("mosquitto")
def test_a_run_with_a_password(colour_model: MakeModel, clip: MakeClip, tmp_path: Path) -> None:
    """Answers come as they change; at the end the camera is offline; the password is nowhere."""
    passwords, address = tmp_path / "passwords", tmp_path / "broker.txt"
    passwords.write_text(password_line("cam", "s3cr/et"))
    settings = ("allow_anonymous false", f"password_file {passwords}")
    video = clip(["red"] * 40 + ["blue"] * 40)
    written = [tmp_path / name for name in ("lines.jsonl", "run.json")]
    with broker(tmp_path, *settings) as one, listening(one.port, ("cam", "s3cr/et")) as heard:
        address.touch(0o600)
        address.write_text(f"mqtt://cam:{SECRET}@127.0.0.1:{one.port}/porch\n")
        with started(
            *("--model", colour_model(), "--source", video, "--loop", "--smooth", 0),
            *("--mqtt-file", address, "--mqtt-steady", 0.5),
            *("--jsonl", written[0], "--json", written[1]),
        ) as process:
            wait_for(lambda: len(heard.all(ANSWER)) >= 4, 60)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
        wait_for(lambda: heard.latest(AVAILABILITY) == "offline")
        log = one.log.read_text()
    assert process.returncode == 0
    assert heard.all(ANSWER)[:4] == ["red", "blue", "red", "blue"]
    assert heard.all(AVAILABILITY) == ["offline", "online", "offline"]
    assert "Received DISCONNECT from edge-effnet-porch" in log
    told = [text for _, text, _ in heard.heard] + [file.read_text() for file in written]
    assert not [text for text in (out, err, *told) if "s3cr" in text]
    assert "Traceback" not in err


@pytest.mark.usefixtures("mosquitto")
def test_a_run_that_is_killed_leaves_its_last_will(
    colour_model: MakeModel, clip: MakeClip, tmp_path: Path
) -> None:
    source = ("--source", clip(["red"] * 40), "--loop")
    with broker(tmp_path) as one, listening(one.port) as heard:
        where = f"mqtt://127.0.0.1:{one.port}/porch"
        with started("--model", colour_model(), *source, "--mqtt", where) as run:
            wait_for(lambda: heard.latest(AVAILABILITY) == "online", 60)
            run.kill()
            wait_for(lambda: heard.latest(AVAILABILITY) == "offline")


@pytest.mark.usefixtures("mosquitto")
def test_a_camera_that_stops_and_comes_back(
    colour_model: MakeModel, http_camera: Serve, tmp_path: Path
) -> None:
    gives = threading.Event()
    gives.set()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if not gives.is_set():
            handler.send_error(503)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
        handler.end_headers()
        image = jpeg(plain("green"))
        while gives.is_set():
            head = f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
            handler.wfile.write(head.encode() + image + b"\r\n")
            time.sleep(0.05)

    source = http_camera(answer)
    with broker(tmp_path) as one, listening(one.port) as heard:
        options = ("--mqtt", f"mqtt://127.0.0.1:{one.port}/porch", "--mqtt-steady", 0)
        with started("--model", colour_model(), "--source", source, *options) as run:
            wait_for(lambda: heard.latest(AVAILABILITY) == "online", 60)
            gives.clear()
            wait_for(lambda: heard.latest(AVAILABILITY) == "offline")
            gives.set()
            wait_for(lambda: heard.latest(AVAILABILITY) == "online", 40)
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=30)
        wait_for(lambda: heard.latest(AVAILABILITY) == "offline")
        assert heard.all(ANSWER) == ["green"]


@pytest.mark.usefixtures("mosquitto")
def test_answers_that_flicker_at_30_a_second(
    colour_model: MakeModel, clip: MakeClip, tmp_path: Path
) -> None:
    """Two seconds of one colour, then four in which each frame is another one."""
    video = clip(["red"] * 60 + ["blue", "green"] * 60, fps=30.0)
    with broker(tmp_path) as one, listening(one.port) as heard:
        where = f"mqtt://127.0.0.1:{one.port}/porch"
        with started(
            *("--model", colour_model(), "--source", video, "--smooth", 0, "--mqtt", where),
            *("--jsonl", tmp_path / "lines.jsonl"),
        ) as run:
            run.communicate(timeout=60)
        wait_for(lambda: heard.all(AVAILABILITY)[1:] == ["online", "offline"])
    lines = map(json.loads, (tmp_path / "lines.jsonl").read_text().splitlines())
    labels = [line["label"] for line in lines if line["type"] == "answer"]
    changes = sum(one != other for one, other in pairwise(labels))
    assert changes > 40
    assert heard.all(ANSWER) == ["red"]
    # Configuration, offline, scores, answer, online, offline.
    assert len(heard.heard) == 6


@pytest.mark.usefixtures("mosquitto")
def test_a_wrong_password_ends_it_before_the_camera_runs(
    cli: Cli, colour_model: MakeModel, clip: MakeClip, tmp_path: Path
) -> None:
    with broker(tmp_path, "allow_anonymous false") as one:
        where = f"mqtt://me:{SECRET}@127.0.0.1:{one.port}"
        video = clip(["red"])
        code, out, err = cli("--model", colour_model(), "--source", video, "--mqtt", where)
    assert code == 1
    assert err == (
        f"error: mqtt://127.0.0.1:{one.port}: it refuses; found Not authorized; "
        "to fix: check user and password\n"
    )
    assert out == ""


@pytest.mark.parametrize(
    ("where", "code"),
    [
        (("--mqtt", f"http://me:{SECRET}@127.0.0.1"), 2),
        (("--mqtt", f"mqtt://me:{SECRET}@127.0.0.1/a/b"), 2),
        (("--mqtt", f"mqtt://me:{SECRET}@127.0.0.1", "--mqtt-file", "x"), 2),
        (("--mqtt", f"mqtt://me:{SECRET}@127.0.0.1", "--systemd"), 2),
        (("--mqtt-file", "open.txt"), 1),
    ],
)
def test_refusals_show_no_password(
    cli: Cli,
    colour_model: MakeModel,
    clip: MakeClip,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: tuple[str, ...],
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "open.txt").write_text(f"mqtt://me:{SECRET}@127.0.0.1")
    (tmp_path / "open.txt").chmod(0o644)
    model, video = colour_model(), clip(["red"])
    found, out, err = cli("--model", model, "--source", video, *where)
    assert found == code
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "s3cr" not in out + err


def test_without_its_library(
    cli: Cli, colour_model: MakeModel, clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.enums", None)
    video = clip(["red"])
    code, _, err = cli("--model", colour_model(), "--source", video, "--mqtt", "mqtt://127.0.0.1")
    assert code == 1
    assert err == (
        "error: --mqtt needs paho-mqtt 2, which is not installed; "
        "to fix: pip install 'edge-effnet[mqtt]'\n"
    )
