"""The simulation behind the figures of estimates beside counts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.studies.flip_estimate import command, print_simulated, simulate
from edge_effnet.artifact import Card, write_artifact
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.metrics import Predictions
from tests.converters.conftest import SIDE, TinyModel, photos, tiny

__all__ = ["photos", "tiny"]

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


@pytest.mark.slow
def test_files_are_compared_on_labelled_images(
    tiny: TinyModel, photos: Path, tmp_path: Path
) -> None:
    labels = tuple(f"class{index}" for index in range(10))
    files = [tmp_path / name for name in ("float.tflite", "same.tflite")]
    for file in files:
        write_artifact(file, tiny.model, Card(file.stem, labels, Preprocess(SIDE, SIDE)))
    asked = [*map(str, files), "--data", str(photos), "--draws", "20", "--json", "-"]
    done = CliRunner().invoke(command, asked, catch_exceptions=False)
    assert done.exit_code == 0
    figures = json.loads(done.stdout)["files"]["same.tflite"]
    assert figures["drop"]["counted"] == figures["disagreement"]["off_large"] == 0
