"""Which images a training run learns from and is validated on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_effnet.data.image_sources import ImagesInMemory
from edge_effnet.errors import DataError
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.lists import ImageLists, TrainingImages, list_images
from tests.edge_effnet.training.conftest import draw_colours


def test_the_parts_of_a_folder_are_used_as_they_are_named(tmp_path: Path) -> None:
    for seed, part in enumerate(("train", "val", "test")):
        draw_colours(tmp_path / part, 5, seed)
    lists = list_images(TrainConfig(data=str(tmp_path)))
    assert lists.train is not None
    assert lists.val is not None
    assert (len(lists.train), lists.train.source) == (15, str(tmp_path / "train"))
    assert (len(lists.val), lists.val.source) == (15, str(tmp_path / "val"))
    assert f"validated on {tmp_path / 'val'}: 15 images" in lists.notices[1]


def test_classes_that_validation_lacks_are_named(tmp_path: Path) -> None:
    data, val = draw_colours(tmp_path / "data", 5), draw_colours(tmp_path / "val", 2, seed=9)
    for number in range(2):
        (val / "green" / f"{number}.png").rename(val / "blue" / f"more-{number}.png")
    (val / "green").rmdir()
    lists = list_images(TrainConfig(data=str(data), val=str(val)))
    assert "no images of 'green' to validate on" in lists.notices[-1]


def test_every_class_needs_images_on_both_sides(tmp_path: Path) -> None:
    data = draw_colours(tmp_path / "data", 4)
    with pytest.raises(DataError, match="4 of 'blue', 4 of 'green', 4 of 'red'"):
        list_images(TrainConfig(data=str(data)))


def test_near_duplicates_must_leave_enough_to_learn_from(tmp_path: Path) -> None:
    """A class of two presses of a button: one of them is held out whole."""
    data = draw_colours(tmp_path / "data", 6)
    for number in range(6):
        path = data / "red" / f"{number}.png"
        path.rename(path.with_name(f"burst-20261129-101500-{number // 3}-{number % 3:04}.png"))
    config = TrainConfig(data=str(data))
    with pytest.raises(
        DataError,
        match=r"data has too few images to learn from; found 3 of 'red'; expected at least 4 "
        r"readable ones per class; near-duplicates, and frames of one press, stay on one side; to "
        r"fix: add images of other moments, or remove the class",
    ):
        list_images(config)


def test_class_weights_balance() -> None:
    labels = np.repeat(np.arange(3), (10, 30, 60))
    source = ImagesInMemory(tuple(np.zeros((len(labels), 1, 1, 3), np.uint8)), labels)
    lists = ImageLists("", ("a", "b", "c"), None, None, "")
    weights = TrainingImages(lists, source, source).balancing_weights
    np.testing.assert_allclose(weights * [10, 30, 60], 100 / 3)
