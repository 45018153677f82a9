"""Our int8 beside other tools': one network, the same images, figures that fit each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.studies.quantization_quality import command, evaluate_all, print_results
from benchmarks.studies.quantizers import TOOLS, Tool, in_litert
from edge_effnet.architecture.files import write_variant
from edge_effnet.data.listing import load_dataset
from edge_effnet.errors import EdgeEffnetError, UsageProblem
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import build
from edge_effnet.network.weights.checkpoint import describe, save_checkpoint
from tests.converters.conftest import CLASSES, SIDE, TINY, photos

__all__ = ["photos"]

MakeModel = Callable[..., Path]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    keras_module().utils.set_random_seed(1)
    network = build(TINY, classes=CLASSES, resolution=SIDE)
    labels = tuple(f"class{index}" for index in range(CLASSES))
    path = tmp_path / "tiny.h5"
    save_checkpoint(network, path, describe(TINY, resolution=SIDE, labels=labels))
    return path


@pytest.mark.slow
def test_every_tool_is_evaluated_on_the_same_images(
    weights: Path, photos: Path, tmp_path: Path
) -> None:
    write_variant(tmp_path / "tiny.json", TINY)
    done = CliRunner().invoke(
        command,
        [
            *("--variant", str(tmp_path / "tiny.json"), "--weights", str(weights)),
            *("--calibration", str(photos), "--calibration-images", "10", "--data", str(photos)),
            *("--seconds", "0.5", "--json", str(tmp_path / "quality.json")),
        ],
        catch_exceptions=False,
    )
    assert done.exit_code == 0
    document = json.loads((tmp_path / "quality.json").read_text())
    rows = document["candidates"]
    there = [tool for tool in TOOLS if not tool.missing]
    assert [(row["name"], row["runtime"]) for row in rows] == [
        (tool.name, tool.runtime) for tool in there
    ]
    assert {"float32", "TensorFlow", "edge-effnet"} <= {row["name"] for row in rows}
    for row in rows:
        assert row["name"] in done.output
        check_figures(row, images=8 * CLASSES)
        assert row["reference"] == rows[0]["reference"]
        # Random weights answer all images nearly alike: the scores tell, not the best of them.
        assert row["score_error"]["max_abs"] < (1e-4 if row["name"] == "float32" else 0.05)
        if row["name"] != "float32":
            assert row["size_bytes"] < rows[0]["size_bytes"]
    itself = rows[0]
    assert (itself["agreement"], itself["drop_points"], itself["latency_ratio"]) == (100, 0, 1)
    assert itself["score_error"] == {"mean_abs": 0, "max_abs": 0, "mean_l1": 0}
    for package in document["missing"]:
        assert f"pip install {' '.join(document['missing'])}" in done.output
        assert any(package in tool.missing for tool in TOOLS)


def check_figures(row: dict[str, Any], *, images: int) -> None:
    """A row's drop and agreement follow from its own counts."""
    assert row["n"] == images
    flipped = row["flipped"]
    assert row["agreement"] == pytest.approx(100 * (images - len(flipped)) / images)
    kinds = [flip["kind"] for flip in flipped]
    assert (kinds.count("lost"), kinds.count("gained")) == (row["lost"], row["gained"])
    assert row["drop_points"] == pytest.approx(100 * (row["lost"] - row["gained"]) / images)
    low, high = row["agreement_interval"]
    assert low <= row["agreement"] <= high


def test_a_tool_that_forgets_a_class_is_found_out(
    colour_model: MakeModel, colour_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = colour_model("float.tflite")
    colour_blind = colour_model("blind.tflite", weights=((1, 0, 0), (0, 1, 0), (0, 0, -1)))
    tools = [
        Tool("float32", "LiteRT", lambda _: in_litert(right)),
        Tool("blind", "LiteRT", lambda _: in_litert(colour_blind)),
    ]
    opened = [in_litert(right), in_litert(colour_blind)]
    first, second = evaluate_all(tools, opened, right, load_dataset(colour_folder), seconds=0.1)
    assert (first.comparison.agreement_percent, first.latency_ratio) == (100, 1)
    assert first.comparison.candidate is not None
    assert first.comparison.candidate.top1_percent == 100
    assert second.comparison.agreement_percent == pytest.approx(100 * 2 / 3)
    assert second.comparison.paired is not None
    assert second.comparison.paired.drop_points == pytest.approx(100 / 3)
    print_results([first, second], ["nncf"])
    shown = capsys.readouterr().out
    assert "66.7 %" in shown
    assert "left out, not installed: nncf (pip install nncf)" in shown


def test_a_tool_says_what_it_lacks() -> None:
    tool = Tool("other", "its own", lambda _: in_litert(Path()), ("json", "no_such_package"))
    assert tool.missing == ("no_such_package",)


def test_what_cannot_be_compared_is_one_line(
    tmp_path: Path, colour_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ["--variant", "b0", "--calibration", str(colour_folder), "--data", str(colour_folder)]
    with pytest.raises(UsageProblem, match="others for every tool"):
        CliRunner().invoke(command, [*given, "--weights", "random"], catch_exceptions=False)
    with pytest.raises(EdgeEffnetError, match="edge-effnet convert failed; found exit code 1"):
        CliRunner().invoke(
            command, [*given, "--weights", str(tmp_path / "none.h5")], catch_exceptions=False
        )
    assert "there are no weights" in capfd.readouterr().err
