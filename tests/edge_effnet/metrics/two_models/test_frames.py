"""Two models on frames of a feed: figures of all frames, proof of their scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_effnet.heads.head import Head
from edge_effnet.metrics import ClassSummary, Comparison, Predictions, compare_predictions
from edge_effnet.metrics.intervals import mcnemar_p
from edge_effnet.metrics.two_models.frames import compare_frames

LABELS = ("red", "green", "blue")


def models(scenes: int, frames: int) -> tuple[Predictions, Predictions, np.ndarray]:
    """A reference that errs in every fifth scene, a candidate in every twentieth; each frame of a
    scene gets the same answer."""
    number = np.repeat(np.arange(scenes), frames)
    truth = number % 3
    paths = tuple(Path(f"clip#{place}") for place in range(len(number)))

    def of(every: int) -> Predictions:
        wrong = number % every == 1
        answers = np.where(wrong, (truth + 1) % 3, truth)
        scores = np.eye(3, dtype=np.float32)[answers] * np.float32(0.8) + np.float32(0.1)
        return Predictions(scores, truth, paths, LABELS)

    return of(5), of(20), number


def compared(scenes: int, frames: int) -> tuple[Comparison, Comparison]:
    reference, candidate, number = models(scenes, frames)
    as_photos = compare_predictions(reference, candidate)
    return as_photos, compare_frames(reference, candidate, number)


def test_thirty_photos_for_thirty_frames_each_prove_no_gain() -> None:
    photos, frames = compared(30, 30)
    assert photos.paired is not None
    assert photos.paired.drop_interval_points[1] < 0  # "proven: the candidate is more accurate"
    assert photos.paired.mcnemar_p < 1e-20
    assert frames.paired is not None
    low, high = frames.paired.drop_interval_points
    assert low < 0 < high
    assert frames.paired.mcnemar_p >= mcnemar_p(0, 4)
    assert (frames.images, frames.agreement_percent) == (900, photos.agreement_percent)
    assert frames.paired.drop_points == photos.paired.drop_points
    document = frames.to_json()
    assert document["blocks"] == {"scenes": 30, "enough": True, "note": "900 frames in 30 scenes"}
    assert document["drop_interval_points"] == [low, high]


def test_too_few_scenes_prove_nothing() -> None:
    _, frames = compared(10, 90)
    assert frames.paired is not None
    assert not frames.paired.bounded
    assert not frames.paired.proves_drop
    assert frames.warnings == frames.losses == ()
    document = frames.to_json()
    for name in ("agreement_interval", "drop_interval_points", "drop_at_most_points", "mcnemar_p"):
        assert document[name] is None
    assert document["reference"]["top1_interval"] is None
    assert document["candidate"]["top1"] == 100 * 9 / 10


def test_a_gain_over_many_scenes_is_proven() -> None:
    _, frames = compared(200, 5)
    assert frames.paired is not None
    assert frames.paired.drop_interval_points[1] < 0
    assert isinstance(frames.candidate, ClassSummary)
    low, high = frames.candidate.top1_interval_percent
    assert low < frames.candidate.top1_percent < high


def test_a_proven_loss_is_said_first() -> None:
    reference, candidate, number = models(200, 5)
    found = compare_frames(candidate, reference, number)
    assert len(found.losses) == 1
    assert found.warnings[0] == found.losses[0]
    assert "points of accuracy" in found.losses[0]


@pytest.mark.parametrize(("scenes", "said"), [(10, 0), (60, 1)])
def test_larger_errors_of_values_are_proven_by_scenes(scenes: int, said: int) -> None:
    number = np.repeat(np.arange(scenes), 30)
    truth = number[:, None].astype(np.float64)
    paths = tuple(Path(f"clip#{place}") for place in range(len(number)))
    head = Head("regression", 1)
    noise = np.random.default_rng(1).normal(0, 1, scenes)[number][:, None]
    reference, candidate = (
        Predictions((truth + gain * noise).astype(np.float32), truth, paths, ("x",), head=head)
        for gain in (1, 3)
    )
    assert compare_predictions(reference, candidate).losses
    found = compare_frames(reference, candidate, number)
    assert found.agreement_interval_percent is None
    assert len(found.losses) == said
