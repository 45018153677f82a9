"""``edge-effnet camera --compare`` and ``--truth``: what two models and known answers show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.artifact import read_artifact, write_artifact
from edge_effnet.cli import run
from edge_effnet.data.division.split import divide
from edge_effnet.data.division.trained_on import record
from edge_effnet.data.listing import load_dataset
from tests.edge_effnet.camera.conftest import Cli, MakeClip
from tests.edge_effnet.conftest import BLUE_IS_RED, MakeModel


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
    assert "a scene: frames that look alike, which count as one" in out
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
    code, out, _ = cli(*twice)
    assert out.startswith("no evidence: the network was trained on 24 frames")
    assert "agreement 100.0 % of the answers" in out  # float and int8 can still be compared
    assert "lost" not in out
    assert "blocks" in json.loads(report.read_text())
