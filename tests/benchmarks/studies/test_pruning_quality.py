"""Ways of pruning compared: means over seeds, and no run taken over for what it is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.studies.pruning_quality import (
    PrunedFiles,
    evaluate_all,
    print_rows,
    refuse_other_run,
    rows_of,
    time_all,
)
from edge_effnet.errors import UsageProblem


@pytest.fixture
def made(tmp_path: Path) -> list[PrunedFiles]:
    """The whole network, two seeds of one way and one of another, as files of known sizes."""

    def files(name: str, size: int) -> dict[str, Path]:
        paths = {recipe: tmp_path / f"{name}-{recipe}.tflite" for recipe in ("float32", "int8")}
        for path, length in zip(paths.values(), (size, size // 4), strict=True):
            path.write_bytes(bytes(length))
        return paths

    return [
        PrunedFiles(None, 1.0, 0, 1.0, 1.0, files("whole", 1000)),
        PrunedFiles("ours", 0.5, 0, 0.50, 0.40, files("ours0", 400)),
        PrunedFiles("ours", 0.5, 1, 0.48, 0.44, files("ours1", 440)),
        PrunedFiles("uniform", 0.5, 0, 0.50, 0.50, files("uniform0", 500)),
    ]


def test_a_row_is_the_mean_over_its_seeds(
    made: list[PrunedFiles], capsys: pytest.CaptureFixture[str]
) -> None:
    top1 = [
        {"float32": 92.0, "int8": 91.0},
        {"float32": 91.0, "int8": 90.0},
        {"float32": 90.0, "int8": 87.0},
        {"float32": 80.0, "int8": 79.0},
    ]
    timed = [{"float32": time, "int8": time / 2} for time in (8.0, 4.0, 5.0, 6.0)]
    rows = rows_of(made, top1, timed)
    assert [(row.way, row.recipe) for row in rows] == [
        (way, recipe) for way in (None, "ours", "uniform") for recipe in ("float32", "int8")
    ]
    whole, ours, int8 = rows[0], rows[2], rows[3]
    assert (whole.drop_points, whole.size_ratio, whole.latency_ratio) == (0, 1, 1)
    assert ours.seeds == (0, 1)
    assert ours.macs_share == pytest.approx(0.49)
    assert ours.size_ratio == pytest.approx(0.42)
    assert ours.top1_percent == (90.5, 90.0, 91.0)
    assert ours.drop_points == pytest.approx(1.5)
    assert int8.drop_points == pytest.approx(91 - 88.5)  # from the whole network's int8 file
    assert int8.latency_ratio == 0.5  # of the first seed's network
    print_rows(rows)
    said = capsys.readouterr().out
    assert "90.0…91.0" in said
    assert "whole" in said


def test_every_file_is_evaluated_and_timed(
    colour_model: Callable[..., Path], colour_folder: Path
) -> None:
    files = {recipe: colour_model(f"{recipe}.tflite") for recipe in ("float32", "int8")}
    whole = PrunedFiles(None, 1.0, 0, 1.0, 1.0, files)
    networks = [whole, replace(whole, way="ours", share=0.5)]
    right = evaluate_all(networks, colour_folder)
    assert right == [{"float32": 100.0, "int8": 100.0}] * 2
    assert all(time > 0 for one in time_all(networks, seconds=0.05) for time in one.values())


def test_a_run_with_other_settings_is_not_taken_over(tmp_path: Path) -> None:
    config = {"variant": "b0", "target": 0.7, "epochs": 10, "seed": 0}
    (tmp_path / "prune.json").write_text(json.dumps(config))
    same = {"--variant": "b0", "--target-macs": 0.7, "--epochs": "10", "--seed": 0}
    refuse_other_run(tmp_path, same)
    with pytest.raises(UsageProblem, match=r"another --epochs; found 10; expected 16"):
        refuse_other_run(tmp_path, {**same, "--epochs": "16"})
