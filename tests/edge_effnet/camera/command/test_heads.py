"""``edge-effnet camera`` with models that answer two classes, several labels or a value."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.image.preprocessing import Pixels
from tests.edge_effnet.camera.conftest import Cli, plain
from tests.edge_effnet.conftest import MakeModel, write_image


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """Frames of red, blue, half of each, and neither, in this order."""
    half = plain("red")
    half[:, 32:] = plain("blue")[:, 32:]
    frames = (plain("red"), plain("blue"), half, np.full((48, 64, 3), 10, np.uint8))
    for number, pixels in enumerate(frames):
        write_image(tmp_path / "shown" / f"{number}.png", pixels)
    return tmp_path / "shown"


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Forty frames of patches, each unlike the others."""
    random = np.random.default_rng(4)
    for number in range(40):
        patches: Pixels = random.integers(0, 256, (4, 4, 3)).astype(np.uint8)
        write_image(
            tmp_path / "many" / f"{number:02}.png", np.kron(patches, np.ones((8, 8, 1), np.uint8))
        )
    return tmp_path / "many"


def lines_of(out: str, kind: str = "answer") -> list[dict[str, Any]]:
    return [line for line in map(json.loads, out.splitlines()) if line["type"] == kind]


def test_logits_are_thresholded_as_probabilities(
    cli: Cli, colour_model: MakeModel, shown: Path
) -> None:
    model = colour_model(end=None)
    code, out, _ = cli(
        *("--model", model, "--source", shown, "--jsonl", "-", "--threshold", 0.9, "--top", 3)
    )
    answers = lines_of(out)
    assert code == 0
    # Half red and half blue: logits of 5 and 5 are two probabilities of one half.
    assert [line["label"] for line in answers] == ["red", "blue", "unknown", "unknown"]
    assert all(sum(s for _, s in line["best"]) == pytest.approx(1, abs=1e-3) for line in answers)


def test_one_sigmoid_shows_both_classes(cli: Cli, colour_model: MakeModel, shown: Path) -> None:
    model = colour_model(weights=[[1, 0, -1]], labels=("blue", "red"), end="LOGISTIC")
    arguments = ("--model", model, "--source", shown, "--jsonl", "-")
    code, out, _ = cli(*arguments)
    answers = lines_of(out)
    assert code == 0
    assert [line["label"] for line in answers[:2]] == ["red", "blue"]
    assert all({name for name, _ in line["best"]} == {"blue", "red"} for line in answers)
    code, out, _ = cli(*arguments, "--threshold", 0.9)
    assert [line["label"] for line in lines_of(out)] == ["red", "blue", "unknown", "unknown"]


# Weights that say yes above a share of the colour; a column of ones stands for the bias.
LABEL_WEIGHTS = np.array([[1, -0.3, -0.3], [-0.3, 1, -0.3], [-0.3, -0.3, 1]])


def test_labels_that_are_true_together(
    cli: Cli, colour_model: MakeModel, shown: Path, tmp_path: Path
) -> None:
    model = colour_model(weights=LABEL_WEIGHTS, end="LOGISTIC")
    mark, truth = tmp_path / "mark", tmp_path / "truth.csv"
    truth.write_text("file,label\nshown/0.png,red\nshown/1.png,red|blue\nshown/2.png,red|blue\n")
    write = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + ' ')"
    hook = f"'{sys.executable}' -c \"{write}\" '{mark}' {{label}}"
    code, out, err = cli(
        *("--model", model, "--source", shown, "--jsonl", "-", "--truth", truth),
        *("--threshold", 0.7, "--on", "blue", hook, "--on", "none of them", hook),
        *("--record", tmp_path / "clip.mp4"),
    )
    assert code == 0
    assert [sorted(line["labels"]) for line in lines_of(out)] == [
        ["red"],
        ["blue"],
        ["blue", "red"],
        [],
    ]
    assert sorted(mark.read_text().split()) == ["blue", "none", "of", "them"]  # blue stayed
    assert "right: 66.7 % of frames with a known answer" in err


def test_sets_of_labels_are_compared(
    cli: Cli, colour_model: MakeModel, shown: Path, tmp_path: Path
) -> None:
    model = colour_model("deaf.tflite", weights=-np.eye(3), end="LOGISTIC")
    reference = colour_model("good.tflite", weights=LABEL_WEIGHTS, end="LOGISTIC")
    truth = tmp_path / "truth.csv"
    rows = ["shown/0.png,1,0,0", "shown/1.png,0,0,1", "shown/2.png,1,0,1", "shown/3.png,0,0,0"]
    truth.write_text("\n".join(["file,red,green,blue", *rows]))
    code, out, _ = cli(
        *("--model", model, "--compare", reference, "--source", shown, "--truth", truth),
        *("--threshold", 0.7, "--json", "-"),
    )
    document = json.loads(out)
    assert code == 0
    assert document["head"]["threshold"] == 0.7
    assert document["agreement"] == 25  # of sets, the empty one
    assert document["reference"]["exact_match"] == 100
    assert "confusion" not in document["reference"]
    flips = {Path(flip["file"]).name: flip for flip in document["flipped"]}
    assert flips["2.png"]["reference"] == "red, blue"
    assert flips["2.png"]["candidate"] == "(none)"
    assert document["camera"]["comparison"]["disagreements"][0] == {
        "reference": "red",
        "candidate": "(none)",
        "frames": 1,
    }
    assert (document["camera"]["labelled"], document["camera"]["right"]) == (4, 1)


def test_values_have_errors_and_no_agreement(
    cli: Cli, colour_model: MakeModel, many: Path, tmp_path: Path
) -> None:
    model = colour_model("int8.tflite", weights=[[1.5, 0, 0]], labels=("redness",), end=None)
    reference = colour_model("float.tflite", weights=[[1, 0, 0]], labels=("redness",), end=None)
    _, out, _ = cli("--model", reference, "--source", many, "--jsonl", "-")
    values = [line["value"] for line in lines_of(out)]
    assert len(values) == 40
    truth = tmp_path / "truth.csv"
    rows = [f"many/{number:02}.png,{value}" for number, value in enumerate(values)]
    truth.write_text("\n".join(["file,value", *rows]))
    compared = ("--model", model, "--compare", reference, "--source", many, "--truth", truth)
    code, out, _ = cli(*compared, "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["agreement"] is document["agreement_interval"] is None
    assert document["flipped"] == []
    error = 0.5 * float(np.mean(values))
    assert document["candidate"]["mae"] == pytest.approx(error, rel=1e-3)
    assert document["reference"]["mae"] == pytest.approx(0, abs=1e-4)
    assert document["value_difference"]["mean_abs"] == pytest.approx(error, rel=1e-3)
    camera = document["camera"]
    assert camera["error"]["mean_abs"] == pytest.approx(error, rel=1e-3)
    assert camera["comparison"]["value_difference"]["mean_abs"] == pytest.approx(error, rel=1e-3)
    assert "right" not in camera
    assert "agreement" not in camera["comparison"]
    code, out, _ = cli(*compared, "--record", tmp_path / "clip.avi")
    assert "mean absolute error" in out
    assert "agreement" not in out
    assert "proven" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", 0.5], "--threshold mean nothing"),
        (["--on", "redness", "true", "--threshold", 0.5], "--threshold and --on mean nothing"),
        (["--truth", "folder"], "names a class"),
    ],
)
def test_what_means_nothing_for_a_value_is_refused(
    cli: Cli, colour_model: MakeModel, shown: Path, arguments: list[str], message: str
) -> None:
    model = colour_model(weights=[[1, 0, 0]], labels=("redness",), end=None)
    code, out, err = cli("--model", model, "--source", shown, *arguments)
    assert code in (1, 2)
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


def test_one_value_judges_no_model_that_gives_two(
    cli: Cli, colour_model: MakeModel, many: Path, tmp_path: Path
) -> None:
    model = colour_model(weights=[[1, 0, 0], [0, 1, 0]], labels=("redness", "green"), end=None)
    (tmp_path / "truth.csv").write_text("frame,value\n0,12.5\n")
    asked = "--model", model, "--head", "regression", "--source", many
    code, _, err = cli(*asked, "--truth", tmp_path / "truth.csv")
    assert code == 1
    assert "one value for each frame; found a model that gives 2" in err


def test_models_that_answer_different_questions_are_refused(
    cli: Cli, colour_model: MakeModel, shown: Path
) -> None:
    one, several = colour_model("one.tflite"), colour_model("several.tflite", end="LOGISTIC")
    code, out, err = cli("--model", one, "--compare", several, "--source", shown)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "a multilabel head and a softmax head" in err
    logits = colour_model("logits.tflite", end=None)
    code, out, _ = cli("--model", logits, "--compare", one, "--source", shown)
    assert code == 0  # both tell one class, whatever computes its probability
    assert "agreement 100.0 %" in out
