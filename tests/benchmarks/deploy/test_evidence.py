"""What tells, without a photo, whether a new model is worse, and what does not."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.deploy.evaluating import evaluate_both
from benchmarks.deploy.evidence import Evidence, find_evidence, least_counts
from edge_effnet.artifact import read_artifact, write_artifact
from edge_effnet.cli import run
from edge_effnet.metrics.two_models.paired import paired_test
from edge_effnet.stages import no_progress
from tests.edge_effnet.conftest import COLOURS, MakeModel

QUANTIZED = {"step": "quantized"}


def measured(right: int, images: int = 500, data: str = "photos") -> Mapping[str, Any]:
    """A card's figures of an int8 file."""
    figures = {"top1": 100 * right / images}
    return {"data": data, "data_sha256": "ab", "n": images, "reference": {}, "candidate": figures}


def file_with(path: Path, **changes: Any) -> Path:
    """The same model under a card that says something else."""
    card = read_artifact(path).card
    assert card is not None
    write_artifact(path, path.read_bytes(), replace(card, **changes), overwrite=True)
    return path


def evidence(old: Path, new: Path) -> Evidence | None:
    return find_evidence((old, read_artifact(old)), (new, read_artifact(new)), no_progress)


@pytest.mark.parametrize(
    ("before", "now", "is_worse"), [(460, 420, True), (460, 455, False), (420, 460, False)]
)
def test_cards_tell_by_the_same_evaluation_set(
    colour_model: MakeModel, before: int, now: int, is_worse: bool
) -> None:
    old = file_with(colour_model("old.tflite"), measured=measured(before), steps=(QUANTIZED,))
    new = file_with(colour_model("new.tflite"), measured=measured(now), steps=(QUANTIZED,))
    found = evidence(old, new)
    assert found is not None
    assert found.is_worse == is_worse
    told = f"{before} of 500 photos right by the file there, {now} by the new one"
    assert f"on the same evaluation set, as their cards say: {told}" in found.line


@pytest.mark.parametrize(
    "other",
    [
        None,
        {**measured(420), "data_sha256": "cd"},
        {**measured(420), "n": "many"},
        {**measured(420), "candidate": {"top1": "?"}},
        measured(420, data="generated pictures: no evidence of accuracy"),
        measured(900),
    ],
    ids=lambda one: str(one)[:60],
)
def test_cards_of_other_photos_do_not_tell(
    colour_model: MakeModel, other: Mapping[str, Any] | None
) -> None:
    old = file_with(colour_model("old.tflite"), measured=measured(460), steps=(QUANTIZED,))
    new = file_with(colour_model("new.tflite"), measured=other, steps=(QUANTIZED,))
    assert evidence(old, new) is None


@given(st.integers(1, 12), st.data())
def test_counts_prove_no_more_than_any_overlap_would(images: int, data: st.DataObject) -> None:
    before, now = (data.draw(st.integers(0, images)) for _ in range(2))
    paired = least_counts(images, before, now).paired
    assert paired is not None
    least = paired.drop_interval_points[0]
    for both in range(max(0, before + now - images), min(before, now) + 1):
        right = np.zeros((2, images), np.bool_)
        right[0, :before] = True
        right[1, before - both : before - both + now] = True
        assert least <= paired_test(right[0], right[1]).drop_interval_points[0] + 1e-6


def test_taught_files_are_compared_as_teach_does(
    taught_model: Path, colour_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more, better = tmp_path / "more", tmp_path / "better.tflite"
    for colour in COLOURS:
        shutil.copytree(colour_folder / colour, more / colour)
    base = str(tmp_path / "base.tflite")
    assert run(["teach", str(more), "--base", base, "--out", str(better)]) == 0
    capsys.readouterr()
    found = evidence(taught_model, better)
    assert found is not None
    assert not found.is_worse
    told = "20 of 30 photos right by the file there, 30 by the new one"
    assert f"on the photos of the new file, as they are labelled there: {told}" in found.line


def test_photos_of_a_new_class_count_for_the_file_that_knows_it(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    two = colour_model("two.tflite", weights=[[9, -1, -1], [-1, 9, -1]], labels=COLOURS[:2])
    three = colour_model("three.tflite")
    pair = [(path, read_artifact(path)) for path in (two, three)]
    found = evaluate_both(pair[0], pair[1], colour_folder, no_progress)
    assert "20 of 30 photos right by the file there, 30 by the new one (+33.3 points" in found.line
    assert "; of the 20 of classes that both know 20, now 20 (+0.0 points" in found.line
    assert not found.is_worse


def test_a_new_class_does_not_hide_that_the_known_ones_got_worse(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    two = colour_model("two.tflite", weights=[[9, -1, -1], [-1, 9, -1]], labels=COLOURS[:2])
    no_red = colour_model("three.tflite", weights=[[-9, -9, -9], [-1, 9, -1], [-1, -1, 9]])
    pair = [(path, read_artifact(path)) for path in (two, no_red)]
    found = evaluate_both(pair[0], pair[1], colour_folder, no_progress)
    assert "20 of 30 photos right by the file there, 20 by the new one (+0.0 points" in found.line
    assert "; of the 20 of classes that both know 20, now 10 (-50.0 points" in found.line
    assert found.is_worse
