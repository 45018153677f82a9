"""``edge-effnet camera`` as a user meets it."""

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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.artifact import read_artifact, write_artifact
from edge_effnet.cli import run
from edge_effnet.data.listing import load_dataset
from edge_effnet.data.split import divide
from edge_effnet.data.trained_on import record
from tests.edge_effnet.camera.conftest import Cli, MakeClip, Serve, jpeg, plain, send_stream
from tests.edge_effnet.conftest import write_image

MakeModel = Callable[..., Path]
BLUE_IS_RED = np.array([[1, 0, 1.2], [0, 1, 0], [0, 0, 0]])
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def test_a_video_with_its_summary(cli: Cli, colour_model: MakeModel, clip: MakeClip) -> None:
    path = clip(["red"] * 10 + ["blue"] * 10)
    code, out, err = cli("--model", colour_model(), "--source", path, "--every-frame")
    assert code == 0
    assert "clip.mp4: 20 frames, 20 answered" in out
    assert "0 dropped" in out
    assert "latency: colours.tflite" in out
    assert not CONTROL.search(out + err)


def test_the_json_is_that_of_compare_on_the_same_frames(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    model, reference = colour_model("int8.tflite", BLUE_IS_RED), colour_model("float.tflite")
    saved = tmp_path / "different"
    code, out, _ = cli(
        *("--model", model, "--compare", reference, "--source", colour_folder),
        *("--truth", "folder", "--json", "-", "--save-differences", saved, "--max-saved", 7),
    )
    document = json.loads(out)
    assert code == 0
    offline = tmp_path / "offline.json"
    arguments = ("compare", reference, model, "--data", colour_folder, "--json", offline)
    assert run(list(map(str, arguments))) == 0
    camera = document.pop("camera")
    expected = json.loads(offline.read_text())
    # 30 frames of 3 plain colours are few scenes: camera proves nothing of them.
    assert document.pop("blocks") == {
        "scenes": 3,
        "enough": False,
        "note": "30 frames in 3 scenes: too few for an interval",
    }
    judged = [
        result[role] for result in (document, expected) for role in ("reference", "candidate")
    ]
    unproven = ("agreement_interval", "drop_interval_points", "drop_at_most_points", "mcnemar_p")
    assert [document[key] for key in unproven] == [None] * 4
    assert [model.pop("top1_interval") is None for model in judged] == [True, True, False, False]
    # The order of the images may differ; nothing else does.
    for result in (document, expected):
        for key in (*unproven, "images_to_prove", "warnings"):
            del result[key]
        result["flipped"].sort(key=lambda flip: flip["file"])
        result["score_error"] = {key: round(v, 5) for key, v in result["score_error"].items()}
    assert document == expected
    assert camera["answered"] == camera["comparison"]["compared"] == 30
    assert camera["comparison"]["agreement"] == pytest.approx(66.667, abs=0.001)
    assert camera["comparison"]["disagreements"] == [
        {"reference": "blue", "candidate": "red", "frames": 10}
    ]
    assert (camera["labelled"], camera["right"]) == (30, 20)
    assert len(camera["times"]["candidate_ms"]) == 30
    assert len(camera["times"]["reference_ms"]) == 30
    assert len(camera["times"]["frame_ms"]) == 29
    assert 1 <= len(list(saved.iterdir())) <= 7


def test_a_frame_that_was_kept_is_named_where_the_models_differ(
    cli: Cli, colour_model: MakeModel, clip: MakeClip, tmp_path: Path
) -> None:
    arguments = ("--model", colour_model("int8.tflite", BLUE_IS_RED), "--compare", colour_model())
    arguments += ("--source", clip(["red"] * 3 + ["blue"] * 2), "--every-frame", "--json", "-")
    arguments += ("--save-differences", tmp_path / "different")
    code, out, _ = cli(*arguments)
    flipped = [Path(flip["file"]) for flip in json.loads(out)["flipped"]]
    assert code == 0
    assert sorted(flipped) == sorted((tmp_path / "different").iterdir())
    assert len(flipped) == 2
    code, out, _ = cli(*arguments, "--roi", "0,0,1,0.5")  # the kept frame is not what they saw
    assert {flip["file"] for flip in json.loads(out)["flipped"]} == {"clip.mp4#3", "clip.mp4#4"}


def test_a_comparison_in_words(cli: Cli, colour_model: MakeModel, clip: MakeClip) -> None:
    path = clip(["red"] * 8 + ["blue"] * 8)
    truth = path.with_suffix(".csv")
    rows = [f"{i},{'red' if i < 8 else 'blue'}" for i in range(16)]
    truth.write_text("\n".join(["frame,label", *rows]))
    code, out, _ = cli(
        *("--model", colour_model("int8.tflite", BLUE_IS_RED), "--truth", truth),
        *("--compare", colour_model("float.tflite"), "--source", path, "--every-frame"),
    )
    assert code == 0
    assert "agreement 50.0 % of the answers" in out
    assert "8 images lost, 0 gained" in out
    assert "16 frames in 2 scenes: too few for an interval; nothing is proven" in out
    assert "right: 50.0 % of frames with a known answer, 16 frames in 2 scenes: too few" in out
    assert "95 %" not in out
    assert "McNemar" not in out


def test_frames_a_model_was_trained_on_do_not_count(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    run = divide(load_dataset(colour_folder), 0.2, 0)
    step = {"step": "trained", "data": {"images": record(run.rest, run.evaluation)}}
    model = colour_model()
    artifact = read_artifact(model)
    assert artifact.card is not None
    data = model.read_bytes()
    write_artifact(model, data, replace(artifact.card, steps=(step,)), overwrite=True)
    report = tmp_path / "report.json"
    command = ("--model", model, "--truth", "folder", "--json", report, "--source")
    code, out, _ = cli(*command, colour_folder)
    assert code == 0
    assert out.startswith("the network was trained on 24 frames")
    assert "right: 100.0 % of frames with a known answer, 6 frames in 3 scenes" in out
    told = json.loads(report.read_text())["trained_on"]
    assert (told["trained"], told["is_evidence"]) == (24, True)
    assert told["line"].endswith("evaluated on the 6 others with a known class")
    twice = (*command, colour_folder, "--compare", model, "--every-frame", "--force")
    assert cli(*twice)[1].startswith("the network was trained on 24 frames")

    for sample in run.evaluation.samples:
        sample.path.unlink()
    code, out, _ = cli(*command, colour_folder, "--force")
    assert out.startswith("no evidence: the network was trained on 24 frames")
    assert "right:" not in out


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
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
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
    assert colour_folder.exists()


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
    assert "reopened 1 times" in out
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


def test_garbage_prints_one_line_and_nothing_of_ffmpegs(
    edge_effnet: Callable[..., subprocess.CompletedProcess[str]],
    colour_model: MakeModel,
    tmp_path: Path,
) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(3).bytes(50_000))
    done = edge_effnet("camera", "--model", colour_model(), "--source", path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no video that can be read" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--source", "nowhere.mp4"], 1, "is no source of images"),
        (["--source", "41"], 1, "there is no camera at /dev/video41"),
        (["--size", "big"], 2, "--size is not understood"),
        (["--roi", "1,1,1,1"], 2, "--roi is not understood"),
        (["--on", "elephant", "true"], 2, "no such label"),
        (["--serve", "nowhere"], 2, "--serve is not understood"),
        (["--save-differences", "x"], 2, "needs a second model"),
        (["--json", "-", "--jsonl", "-"], 2, "cannot both"),
        (["--record", "out.gif"], 2, "cannot write .gif"),
        (["--truth", "nowhere.csv"], 1, "cannot be read as a CSV"),
        (["--window"], 1, "--window needs"),
        (["--json", "."], 1, "is a folder"),
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
    from edge_effnet.camera.outputs.frame_publisher import FramePublisher
    from edge_effnet.camera.outputs.web import start_server

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


def test_without_a_model_the_packaged_one(
    cli: Cli, colour_model: MakeModel, clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_effnet.data import demo

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
        "for name in ('tensorflow', 'keras', 'h5py', 'ai_edge_quantizer'):\n"
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
