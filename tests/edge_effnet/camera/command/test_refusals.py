"""What ``edge-effnet camera`` refuses, each in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.camera.outputs.page.server import start_server
from tests.conftest import RunCommand
from tests.edge_effnet.camera.conftest import Cli, MakeClip
from tests.edge_effnet.conftest import MakeModel


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--source", "nowhere.mp4"], 1, "is no source of images"),
        (["--source", "41"], 1, "there is no camera at /dev/video41"),
        (["--source", "41"], 1, "--source, which also takes a folder of photos or a video"),
        (["--size", "big"], 2, "--size is not understood"),
        (["--roi", "1,1,1,1"], 2, "--roi is not understood"),
        (["--on", "elephant", "true"], 2, "no such label"),
        (["--serve", "nowhere"], 2, "--serve is not understood"),
        (["--save-differences", "x"], 2, "needs a second model"),
        (["--json", "-", "--jsonl", "-"], 2, "cannot both"),
        (["--record", "out.gif"], 2, "cannot write .gif"),
        (["--truth", "nowhere.csv"], 1, "cannot be read as a CSV"),
        (["--window"], 1, "--window needs"),
        (["--json", "."], 1, "found a folder"),
        (["--every", "soon"], 2, "--every is not understood"),
        (["--every", "0s"], 2, "--every is not understood"),
        (["--every", "10m", "--fps", "5"], 2, "--fps and --every both limit the rate"),
        (["--every", "10m", "--every-frame"], 2, "where every frame is answered"),
        (["--save", "elephant"], 2, "no such label"),
        (["--save-to", "x"], 2, "--save-to needs --save"),
        (["--save", "red", "--keep-free", "lots"], 2, "--keep-free is not understood"),
        (["--jsonl", "a", "--append", "b"], 2, "--jsonl and --append both write lines"),
    ],
)
def test_bad_input_is_one_clear_line(
    cli: Cli,
    colour_model: MakeModel,
    clip: MakeClip,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    source = [] if "--source" in arguments else ["--source", clip(["red"] * 3)]
    got, out, err = cli("--model", colour_model(), *source, *arguments)
    assert (got, out) == (code, "")
    assert message in err
    assert "to fix: " in err
    assert err.count("\n") == 1


def test_garbage_prints_one_line_and_nothing_of_ffmpegs(
    edge_effnet: RunCommand, colour_model: MakeModel, tmp_path: Path
) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(3).bytes(50_000))
    done = edge_effnet("camera", "--model", colour_model(), "--source", path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no video that can be read" in done.stderr


def test_models_that_do_not_belong_together(
    cli: Cli, colour_model: MakeModel, clip: MakeClip
) -> None:
    other = colour_model("other.tflite", labels=("red", "blue", "green"))
    code, out, err = cli("--model", colour_model(), "--compare", other, "--source", clip(["red"]))
    assert (code, out) == (1, "")
    assert "label 1 is 'blue' and 'green'" in err
    bare = colour_model("bare.tflite", labels=None)
    code, _, err = cli("--model", bare, "--source", clip(["red"]))
    assert code == 1
    assert "--preprocess" in err


def test_a_port_in_use(cli: Cli, colour_model: MakeModel, clip: MakeClip) -> None:
    server = start_server(FramePublisher(), "127.0.0.1", 0)
    try:
        code, _, err = cli(
            *("--model", colour_model(), "--source", clip(["red"])),
            *("--serve", f"127.0.0.1:{server.port}"),
        )
    finally:
        server.end()
    assert code == 1
    assert f"port {server.port} is in use" in err
