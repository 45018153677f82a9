"""The simulation behind the figures of estimates beside counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies.flip_estimate import WAYS, print_simulated, simulate
from edge_effnet.metrics import Predictions

IMAGES, CLASSES = 1200, 20


@pytest.fixture(scope="module")
def pair() -> tuple[Predictions, Predictions]:
    """A float model that is right as often as it says, and one with noise."""
    random = np.random.default_rng(3)
    logits = random.normal(size=(IMAGES, CLASSES)) * random.uniform(1, 9, (IMAGES, 1))
    paths = tuple(Path(f"{index}.png") for index in range(IMAGES))
    labels = tuple(map(str, range(CLASSES)))
    scores = []
    for values in (logits, logits + random.normal(size=logits.shape) * 0.2):
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        scores.append((powers / powers.sum(axis=1, keepdims=True)).astype(np.float32))
    truth = (scores[0].cumsum(axis=1) > random.uniform(size=(IMAGES, 1)) * 0.999).argmax(axis=1)
    ours, theirs = (Predictions(one, truth, paths, labels) for one in scores)
    return ours, theirs


def test_the_estimate_spreads_less_and_ends_at_the_count(
    pair: tuple[Predictions, Predictions], capsys: pytest.CaptureFixture[str]
) -> None:
    found = simulate(*pair, small=100, large=1000, draws=60, large_draws=6)
    assert list(found) == ["disagreement", "drop"]
    for one in found.values():
        assert one.ratio < 0.6
        assert abs(one.off_large) < 0.5
        assert one.said > 0.5 * one.spread
    print_simulated({"plain": found}, 100, 1000)
    assert "disagreement" in capsys.readouterr().out


def test_several_ways_are_compared() -> None:
    assert [way.name for way in WAYS] == ["plain", "ranges", "bias", "weights8"]
