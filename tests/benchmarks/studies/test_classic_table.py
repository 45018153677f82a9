"""The classic table: files found by name, one row for each network, times of one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.studies.classic_networks import CLASSIC
from benchmarks.studies.classic_table import command, find_files, make_missing
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.artifact import read_artifact, split_archive, write_artifact
from edge_effnet.errors import EdgeEffnetError, UsageProblem

MakeModel = Callable[..., Path]


def test_the_published_figures_are_those_of_the_variants() -> None:
    for name, row in CLASSIC.items():
        if row.option == "--variant":
            assert row.title.lower() == f"efficientnet{name}"
            assert name in VARIANTS
    titles = [row.title for row in CLASSIC.values()]
    assert titles[:8] == [f"EfficientNetB{index}" for index in range(8)]
    assert len(set(titles)) == len(CLASSIC)


def randomly(path: Path) -> None:
    """Say in a file's card that its weights are random."""
    card = read_artifact(path).card
    assert card is not None
    model = split_archive(path.read_bytes())[0]
    write_artifact(path, model, replace(card, weights={"kind": "random"}), overwrite=True)


def test_a_row_for_each_network_that_is_there(colour_model: MakeModel, tmp_path: Path) -> None:
    for name in ("resnet50-float32", "b0-float32", "b0-int8", "somebody-else"):
        path = colour_model(f"{name}.tflite")
    randomly(tmp_path / "resnet50-float32.tflite")
    done = CliRunner().invoke(
        command,
        [str(path.parent), "--seconds", "0.05", "--markdown", "--json", str(tmp_path / "t.json")],
        catch_exceptions=False,
    )
    assert done.exit_code == 0
    lines = [line for line in done.output.splitlines() if line.startswith("| ")]
    # A question mark says that this machine was busy meanwhile: not what is tested here.
    first, second = (line.replace(" ? |", " |", 1) for line in lines[2:])
    assert first.startswith("| EfficientNetB0 | 5.3 M | 132 | 77.1 % | 0.0015 MB | ")
    assert second.startswith("| ResNet50 † | ")
    assert "keras.io/api/applications" in done.output
    assert "random weights" in done.output
    document = json.loads((tmp_path / "t.json").read_text())
    b0, resnet = document["rows"]
    assert b0["int8_of_float"]["low"] <= b0["int8_of_float"]["value"]
    assert (resnet["int8_ms"], resnet["random_weights"]) == (None, True)
    assert len({len(case["samples_ms"]) for case in document["result"]["cases"]}) == 1


def test_what_cannot_be_drawn_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="holds no file of the table"):
        CliRunner().invoke(command, [str(tmp_path)], catch_exceptions=False)
    with pytest.raises(UsageProblem, match="alexnet"):
        CliRunner().invoke(command, [str(tmp_path), "--make", "alexnet"], catch_exceptions=False)


def test_missing_files_are_asked_of_the_installed_command(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EdgeEffnetError, match="edge-effnet convert failed"):
        make_missing(tmp_path, ["b0"], weights=str(tmp_path / "none.h5"))
    assert "there are no weights" in capfd.readouterr().err
    assert find_files(tmp_path) == {}
