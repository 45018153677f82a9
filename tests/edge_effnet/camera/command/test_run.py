"""``edge-effnet camera`` as a user meets it: its outputs, how a run ends, and what it needs."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from edge_effnet.data import demo
from tests.edge_effnet.camera.conftest import Cli, MakeClip, Serve, jpeg, plain, send_stream
from tests.edge_effnet.conftest import CONTROL, MakeModel, write_image


def test_a_video_with_its_summary(cli: Cli, colour_model: MakeModel, clip: MakeClip) -> None:
    path = clip(["red"] * 10 + ["blue"] * 10)
    code, out, err = cli("--model", colour_model(), "--source", path, "--every-frame")
    assert code == 0
    assert "clip.mp4: 20 frames, 20 answered" in out
    assert "0 dropped" in out
    assert "latency: colours.tflite" in out
    assert not CONTROL.search(out + err)


def test_json_lines(cli: Cli, colour_model: MakeModel, clip: MakeClip) -> None:
    path = clip(["red"] * 5 + ["green"] * 5)
    code, out, err = cli(
        *("--model", colour_model(), "--compare", colour_model("float.tflite"), "--source", path),
        *("--every-frame", "--jsonl", "-", "--smooth", 0, "--top", 2),
    )
    lines = list(map(json.loads, out.splitlines()))
    answers = [line for line in lines if line["type"] == "answer"]
    pairs = [line for line in lines if line["type"] == "comparison"]
    assert code == 0
    assert [line["label"] for line in answers] == ["red"] * 5 + ["green"] * 5
    assert [line["frame"] for line in answers] == [line["frame"] for line in pairs] == [*range(10)]
    assert all(line["agree"] for line in pairs)
    assert all(len(line["best"]) == 2 for line in answers)
    assert "10 answered" in err  # the summary makes way


def test_threshold_region_hook_and_recording(
    cli: Cli, colour_model: MakeModel, tmp_path: Path
) -> None:
    pixels = plain("red", 80, 40)
    pixels[:, 40:] = plain("blue", 40, 40)
    frame, mark = tmp_path / "half.png", tmp_path / "mark"
    write_image(frame, pixels)
    write = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    script = shlex.join([sys.executable, "-c", write, str(mark), "{label}"])
    code, out, _ = cli(
        *("--model", colour_model(), "--source", frame, "--roi", "0.5,0,0.5,1"),
        *("--jsonl", "-", "--on", "blue", script, "--record", tmp_path / "out.mp4"),
    )
    assert code == 0
    assert json.loads(out)["label"] == "blue"
    assert mark.read_text() == "blue"
    assert (tmp_path / "out.mp4").stat().st_size > 0
    code, out, _ = cli(
        *("--model", colour_model("again.tflite"), "--source", frame, "--threshold", 1),
        *("--jsonl", "-"),
    )
    assert json.loads(out)["label"] == "unknown"


def test_a_network_camera(
    cli: Cli, colour_model: MakeModel, http_camera: Serve, tmp_path: Path
) -> None:
    """The stream ends, is opened again, and ends for good when the run is stopped by time."""
    served: list[int] = []
    over = threading.Event()

    def answer(handler: object) -> None:
        served.append(1)
        if len(served) > 2:
            os.kill(os.getpid(), signal.SIGINT)
            over.wait(60)
            return
        send_stream(handler, [jpeg(plain("green"))] * 3)  # type: ignore[arg-type]

    lines = tmp_path / "feed.jsonl"
    code, out, err = cli(
        *("--model", colour_model(), "--source", http_camera(answer), "--jsonl", lines)
    )
    over.set()
    assert code == 0  # Ctrl-C is how a camera ends
    assert "the stream ended; trying to open it again" in err
    assert "is back" in err
    assert "reopened 1 time" in out
    answers = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {line["label"] for line in answers if line["type"] == "answer"} == {"green"}


def test_a_terminated_run_ends_with_its_summary_and_its_files(
    colour_model: MakeModel, clip: MakeClip, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "edge_effnet", "camera", "--loop", "--model"]
    command += [colour_model(), "--source", clip(["red"] * 30), "--record", tmp_path / "out.mp4"]
    command += ["--jsonl", tmp_path / "feed.jsonl", "--json", tmp_path / "report.json"]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines, until = tmp_path / "feed.jsonl", time.monotonic() + 60
        while time.monotonic() < until:
            if lines.exists() and lines.read_text().count("\n") > 20:
                break
            time.sleep(0.1)
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert re.search(r"clip\.mp4: \d+ frames, \d+ answered", out)
    assert "delay: median" in out
    assert (tmp_path / "out.mp4").stat().st_size > 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["format"] == "edge-effnet/camera"
    assert report["captured"] >= report["answered"] + report["dropped"]


def test_without_a_model_the_packaged_one(
    cli: Cli, colour_model: MakeModel, clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = colour_model("b0-int8.tflite")
    folder = made.parent / "package" / "assets" / "demo"
    monkeypatch.setattr(demo.resources, "files", lambda _: folder.parents[1])
    code, _, err = cli("--source", clip(["red"]))
    assert code == 1
    assert "comes without its signs model" in err
    folder.mkdir(parents=True)
    made.rename(folder / made.name)
    code, out, _ = cli("--source", clip(["red"] * 3), "--every-frame")
    assert code == 0
    assert "b0-int8.tflite" in out


def test_the_systemd_unit(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["camera", "--systemd", "--model", "my model.tflite", "--on", "stop", 'say "100 %"']
    monkeypatch.setattr(sys, "argv", ["edge-effnet", *words])
    code, out, _ = cli(*words[1:])
    assert code == 0
    assert out.startswith("# 1. edge-effnet camera ")
    line = next(line for line in out.splitlines() if line.startswith("ExecStart="))
    assert line.endswith(
        '-m edge_effnet camera --model "my model.tflite" --on stop "say \\"100 %%\\""'
    )
    assert "--systemd" not in line
    assert "@" not in re.sub(r"^#.*$", "", out, flags=re.MULTILINE)
    assert "Restart=on-failure" in out


def test_it_starts_without_tensorflow(colour_model: MakeModel, clip: MakeClip) -> None:
    script = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'h5py', 'litert_quantizer'):\n"
        "    sys.modules[name] = None\n"
        "from edge_effnet.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["camera", "--model", str(colour_model()), "--source", str(clip(["red"] * 5))]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "5 frames" in done.stdout
