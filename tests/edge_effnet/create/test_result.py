"""The sentence and the commands that ``create`` ends with."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.boards.table import BOARDS
from edge_effnet.create.result import Result, commands, how_measured, mistakes, sentence
from edge_effnet.heads.head import Head
from edge_effnet.metrics import Predictions, compare_predictions


def predictions(right: int, images: int = 100) -> Predictions:
    """Of two classes, three quarters of the images of the first; the first ``right`` are right."""
    truth = np.repeat([0, 1], [images * 3 // 4, images - images * 3 // 4])
    answers = np.where(np.arange(images) < right, truth, 1 - truth)
    return Predictions(
        scores=np.eye(2, dtype=np.float32)[answers],
        truth=truth,
        paths=tuple(Path(f"{number}.jpg") for number in range(images)),
        labels=("robin", "wren"),
        head=Head("softmax", 2),
    )


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "taught-int8.tflite"
    path.write_bytes(bytes(3_750_000))
    return path


def result(small: Path, right: int, right_in_float: int | None = None) -> Result:
    ours = predictions(right)
    if right_in_float is None:
        return Result(small, None, ours, None)
    comparison = compare_predictions(predictions(right_in_float), ours)
    return Result(small, small.with_name("taught-float32.tflite"), ours, comparison)


def test_what_int8_costs_is_said_where_it_is_proven(small: Path) -> None:
    assert sentence(result(small, 89, 89)) == (
        "Right on 89 of 100 photos that it had never seen (89 %; with 95 % confidence 81 to 94 % "
        "of such photos; guessing would get 75 %); int8 89, float 89 of 100 right: int8 costs "
        "nothing that 100 photos can show (at most 2.6 points against float, with 95 % "
        "confidence); 3.75 MB."
    )
    lost = sentence(result(small, 69, 89))
    assert "; int8 69, float 89 of 100 right: int8 costs 20.0 points against float (95 %" in lost
    assert " interval 13.3 to 28.9); " in lost
    gained = sentence(result(small, 89, 69))
    assert ": int8 is 20.0 points above float on them; " in gained


def test_what_was_not_measured_is_said(small: Path) -> None:
    alone = sentence(result(small, 89))
    assert "what int8 costs was not measured, for there is no float network on this mach" in alone
    nothing = sentence(Result(small, None, None, None))
    assert nothing == (
        "How often it is right is not known: no class has two different photos. 3.75 MB."
    )


def test_the_commonest_mistakes_are_one_line(small: Path) -> None:
    assert mistakes(result(small, 70)) == (
        "Commonest mistakes: wren answered robin (25), robin answered wren (5)."
    )
    assert mistakes(result(small, 100)) is None


def test_what_never_seen_means(small: Path) -> None:
    taught = result(small, 89)
    assert how_measured(taught).startswith("Measured by cross-validation: the photos were divided")
    tuned = Result(small, None, taught.predictions, None, tuned=True)
    assert "which epoch is kept was chosen on them" in how_measured(tuned)


def test_the_commands_copy_both_files_and_run_them(small: Path) -> None:
    lines = commands(result(small, 89, 89), BOARDS["pi4"])
    copy, run = (shlex.split(lines[what]) for what in ("copy", "run"))
    assert copy[:3] == ["edge-effnet", "push", "your-name@raspberrypi.local"]
    assert copy[3:] == [str(small), str(small.with_name("taught-float32.tflite"))]
    assert run[:5] == ["ssh", "-t", "-L", "8080:127.0.0.1:8080", "your-name@raspberrypi.local"]
    assert run[5] == (
        "effnet/bin/edge-effnet camera --model taught-int8.tflite "
        "--compare taught-float32.tflite --serve 127.0.0.1:8080"
    )
