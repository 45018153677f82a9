"""``edge-effnet compare``: what it proves, its JSON, and files whose labels differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import BLUE_IS_RED, CONTROL, MakeModel


@pytest.fixture
def float32_and_int8(colour_model: MakeModel) -> tuple[Path, Path]:
    """A model that is right about every image, and one that takes the blue ones for red."""
    return colour_model("float.tflite"), colour_model("int8.tflite", BLUE_IS_RED)


def test_compare_prints_what_is_proven(
    cli: Cli, float32_and_int8: tuple[Path, Path], colour_folder: Path
) -> None:
    float32, int8 = float32_and_int8
    code, out, err = cli("compare", float32, int8, "--data", colour_folder)
    assert code == 0
    assert "agreement 66.7 % of the answers" in out
    assert "10 images lost, 0 gained" in out
    assert "proven: the candidate is less accurate" in out
    assert not CONTROL.search(out + err)
    code, out, _ = cli("compare", float32, float32, "--data", colour_folder)
    assert code == 0
    assert "not proven: that the two differ" in out
    assert "to prove a drop under 1 point" in out


def test_compare_as_json(
    cli: Cli, float32_and_int8: tuple[Path, Path], colour_folder: Path, tmp_path: Path
) -> None:
    float32, int8 = float32_and_int8
    code, out, _ = cli("compare", float32, int8, "--data", colour_folder, "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["n"] == 30
    assert document["reference"]["top1"] == 100
    assert document["candidate"]["top1"] == pytest.approx(66.667, abs=0.001)
    assert {"top5"} <= document["reference"].keys() & document["candidate"].keys()
    assert document["agreement"] == pytest.approx(66.667, abs=0.001)
    assert document["drop_points"] == pytest.approx(33.333, abs=0.001)
    assert document["mcnemar_p"] == pytest.approx(2 / 2**10)
    assert len(document["flipped"]) == 10
    # To a file, with the tables on stdout; a second time only with --force.
    report = tmp_path / "out" / "report.json"
    arguments = ("compare", float32, int8, "--data", colour_folder, "--json", report)
    code, out, _ = cli(*arguments)
    assert code == 0
    assert "agreement" in out
    assert json.loads(report.read_text()) == document
    report.write_text("mine")
    code, out, err = cli(*arguments)
    assert (code, out) == (1, "")
    assert "--force" in err
    assert report.read_text() == "mine"
    assert cli(*arguments, "--force")[0] == 0
    assert json.loads(report.read_text()) == document
    assert [path.name for path in report.parent.iterdir()] == ["report.json"]


def test_compare_without_classes(
    cli: Cli, float32_and_int8: tuple[Path, Path], colour_folder: Path
) -> None:
    float32, int8 = float32_and_int8
    flat = colour_folder / "blue"
    code, out, _ = cli("compare", float32, int8, "--data", flat, "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["agreement"] == 0
    assert "drop_points" not in document
    code, out, _ = cli("compare", float32, int8, "--data", flat)
    assert code == 0
    assert "agreement 0.0 %" in out
    assert "top-1" not in out


def test_compare_refuses_other_labels(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    ours = colour_model()
    theirs = colour_model("other.tflite", labels=("red", "blue", "green"))
    code, out, err = cli("compare", ours, theirs, "--data", colour_folder)
    assert (code, out) == (1, "")
    assert "label 1 is 'green' and 'blue'" in err
    assert err.count("\n") == 1


def test_a_file_without_labels_takes_those_of_the_other(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    bare = colour_model("bare.tflite", labels=None)
    code, out, _ = cli(
        *("compare", colour_model(), bare, "--data", colour_folder),
        *("--preprocess", "mean=0,std=1", "--json", "-"),
    )
    assert code == 0
    assert json.loads(out)["labels"] == ["red", "green", "blue"]
