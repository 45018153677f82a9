"""Which images a pruning run learns from and is validated on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from converters.pruning.config import PruneConfig
from converters.pruning.data import PruningImages, open_pruning_images, sample, with_answers
from edge_effnet.errors import DataError
from edge_effnet.stages import no_progress
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.lists import list_images
from tests.edge_effnet.data.division.test_roles import data, val

__all__ = ["data", "val"]  # fixtures

NAMES = ("blue", "green", "red")


def opened(source: Path, labels: tuple[str, ...] = NAMES, **more: Any) -> PruningImages:
    config = PruneConfig(variant="b0", measure="macs", target=0.5, data=str(source), **more)

    return open_pruning_images(config, labels, classes=3, side=32, workers=1, stage=no_progress)


def test_pruning_divides_as_training_does(data: Path, val: Path) -> None:
    for more in ({}, {"val": str(val)}, {"seed": 7, "val_share": 0.3}):
        lists = list_images(TrainConfig(data=str(data), **more))  # type: ignore[arg-type]
        ours = opened(data, **more).images.lists
        assert (ours.train, ours.val) == (lists.train, lists.val)
        assert ours.fingerprint == lists.fingerprint


def test_unknown_labels_are_replaced_by_the_networks_answers(data: Path) -> None:
    images = opened(data, ("a", "b", "c"))
    assert not images.labelled
    assert "evaluated by agreement with the unpruned network" in images.notices[-1]
    assert set(images.images.val.labels.tolist()) == {0}

    def teacher(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.tile([0.0, 0.0, 1.0], (len(pixels), 1))

    answered = with_answers(images, teacher, 32, 1).images
    assert set(answered.train.labels.tolist()) == set(answered.val.labels.tolist()) == {2}
    with pytest.raises(DataError, match="the labels are of another model"):
        opened(data, ("a", "b", "c"), recovery="labels")


def test_too_few_images_are_refused(val: Path) -> None:
    with pytest.raises(DataError, match="too few images to prune with; found 9 to validate on"):
        opened(val)


def test_a_sample_is_drawn_by_seed(data: Path) -> None:
    train = opened(data).images.train
    pixels, labels = sample(train, 10, 32, 0, 1)
    assert pixels.shape == (10, 32, 32, 3)
    again, _ = sample(train, 10, 32, 0, 1)
    np.testing.assert_array_equal(pixels, again)
    assert (sample(train, 10, 32, 1, 1)[0] != pixels).any()
    assert len(labels) == 10
