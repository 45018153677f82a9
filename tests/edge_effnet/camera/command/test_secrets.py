"""A password in the source: in no output, report, page, note or error of the command."""

from __future__ import annotations

import http.client
import os
import signal
import socket
from pathlib import Path

import pytest

from tests.edge_effnet.camera.conftest import Cli
from tests.edge_effnet.camera.hostile import SCRIPTS, Script, hostile_camera
from tests.edge_effnet.conftest import MakeModel

SECRET = "s3cr"  # noqa: S105


def secret(address: str) -> str:
    return address.replace("//", "//me:s3cr%2F3t@") + "/live?user=me&pwd=s3cr3t"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def state_of(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/state.json")
        return connection.getresponse().read()
    finally:
        connection.close()


def test_a_run_of_every_output(cli: Cli, colour_model: MakeModel, tmp_path: Path) -> None:
    """The stream works, ends, refuses once, and the run is stopped when it is asked again."""
    port, asked, pages = free_port(), list[str](), list[bytes]()

    def choose(head: str) -> Script:
        asked.append(head)
        if len(asked) == 2:
            return SCRIPTS["refused"]()
        if len(asked) > 2:
            pages.append(state_of(port))
            os.kill(os.getpid(), signal.SIGINT)
            return iter([5.0])
        return SCRIPTS["good"]()

    with hostile_camera(choose) as address:
        model, other = colour_model(), colour_model("float.tflite")
        files = {name: tmp_path / name for name in ("lines.jsonl", "run.json", "video.mp4")}
        code, out, err = cli(
            *("--model", model, "--compare", other, "--source", secret(address)),
            *("--jsonl", files["lines.jsonl"], "--json", files["run.json"]),
            *("--record", files["video.mp4"], "--serve", f"127.0.0.1:{port}"),
        )
    assert code == 0
    assert "pwd=s3cr3t" in asked[0]  # the camera got it
    assert "HTTP 401" in err
    assert pages[0]
    printed = out + err + pages[0].decode() + files["lines.jsonl"].read_text()
    assert SECRET not in printed + files["run.json"].read_text()
    assert f"{address}/live…" in printed
    assert SECRET.encode() not in files["video.mp4"].read_bytes()


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("--truth", "folder"),
        ("--truth", "truth.csv"),
        ("--labels", "labels.txt"),
        ("--labels", "nowhere.txt"),
        ("--roi", "2,2,2,2"),
    ],
)
@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "rtsp://127.0.0.1:9", "htp://x", "x"])
def test_refusals(
    cli: Cli,
    colour_model: MakeModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: tuple[str, ...],
    address: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "truth.csv").write_text("frame,label\n0,red\n")
    (tmp_path / "labels.txt").write_text("red\n")
    source = secret(address) if "//" in address else f"me:s3cr3t@{address}/y"
    code, out, err = cli("--model", colour_model(), "--source", source, *more)
    assert code != 0
    assert err.count("error: ") == 1
    assert SECRET not in out + err
