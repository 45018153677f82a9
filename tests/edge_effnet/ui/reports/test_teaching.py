"""What ``teach`` says at its end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.artifact import Card
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.metrics import Predictions
from edge_effnet.metrics.two_models.previous import compare_with_before
from edge_effnet.teaching.collection import Collection
from edge_effnet.teaching.layer_settings import LayerSettings
from edge_effnet.teaching.teach import Taught
from edge_effnet.ui.reports.teaching import fine_tuning, notes, print_taught

LABELS = ("daisy", "rose")


def taught(photos: int, right: float) -> Taught:
    """So many photos of two classes, of which a share was right by cross-validation."""
    truth = np.arange(photos) % 2
    wrong = np.arange(photos) >= round(right * photos)
    scores = np.eye(2, dtype=np.float32)[np.where(wrong, 1 - truth, truth)]
    paths = tuple(Path(f"{index}.jpg") for index in range(photos))
    collection = Collection(
        LABELS,
        truth,
        tuple(f"{index:064x}" for index in range(photos)),
        np.zeros((photos, 2), np.uint64),
        np.zeros((photos, 1, 4), np.float32),
        paths,
        "photos",
    )
    return Taught(
        b"",
        Card("taught", LABELS, Preprocess(8, 8)),
        collection,
        Predictions(scores, truth, paths, LABELS),
        half_right=right - 0.05,
        learned_right=1.0,
        settings=LayerSettings(1e-3),
        not_evaluated=(),
        unknown=None,
        one_scene=(),
    )


@pytest.mark.parametrize(
    ("photos", "right", "gains"),
    [(1000, 0.95, "unlikely"), (1000, 0.6, "likely"), (100, 0.8, "unclear")],
)
def test_whether_fine_tuning_is_likely_to_gain(photos: int, right: float, gains: str) -> None:
    result = taught(photos, right)
    assert fine_tuning(result) == gains
    (line,) = (line for line in notes(result, "fine-tune") if "whole network too" in line)
    said = {
        "unlikely": "to train the whole network too (fine-tune) is likely to gain little",
        "likely": "to get better: train the whole network too (fine-tune), which likely gains",
        "unclear": "to get better: add photos, of other days, light and backgrounds; to train the "
        "whole network too (fine-tune) was seen to gain from about 400 photos on, these are 100",
    }
    assert line == said[gains]


def test_where_more_photos_bring_little_others_are_asked_for() -> None:
    """200 photos of which 82 % are right, with half of them too."""
    curve, advice = notes(replace(taught(200, 0.82), half_right=0.815))
    assert curve.endswith("82.0 %: more photos of the same kind would bring little")
    assert advice.startswith("to get better: add photos unlike these (other days, light, backgro")
    assert "more of them" not in advice


def test_without_a_figure_nothing_is_said_of_fine_tuning() -> None:
    assert not any("whole network" in one for one in notes(replace(taught(8, 1), predictions=None)))


def test_a_file_that_knew_none_of_the_classes_is_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new.tflite"
    out.write_bytes(b"0" * 1000)
    right = np.ones(8, np.bool_)
    against = compare_with_before(
        "old.tflite", LABELS * 4, ~right, right, before=("tulip",), after=LABELS
    )
    print_taught(taught(8, 1), out, against)
    assert "none of these photos is of a class that old.tflite knew" in capsys.readouterr().out
