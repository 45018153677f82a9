"""Which images choose and which confirm."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.errors import DataError
from edge_effnet.search.config import SearchConfig
from edge_effnet.search.images import (
    IMAGE_FILES,
    confirming,
    divide_images,
    learned_from,
    reopen_images,
)
from edge_effnet.stages import no_progress
from tests.edge_effnet.training.conftest import draw_colours


def test_every_image_has_one_purpose_and_each_class_has_all(tmp_path: Path) -> None:
    photos = draw_colours(tmp_path / "photos", 12)
    config = SearchConfig(str(photos), val_share=0.5)
    images = divide_images(config, tmp_path, no_progress)
    assert (images.classes, images.train, images.choose, images.confirm) == (3, 18, 9, 9)
    rows = []
    for name in IMAGE_FILES:
        (tmp_path / name).write_bytes(images.files[name])
        with (tmp_path / name).open() as file:
            mine = [(row["file"], row["label"]) for row in csv.DictReader(file)]
        assert {label for _, label in mine} == {"blue", "green", "red"}
        rows += mine
    assert len(rows) == len({file for file, _ in rows}) == 36
    again = reopen_images(config, tmp_path)
    assert (again.train, again.choose, again.confirm) == (18, 9, 9)
    source = confirming(again, config, 20, workers=1, stage=no_progress)
    assert len(source) == 9
    assert source.image(0, 0).shape == (20, 20, 3)


def test_signs_that_confirm_are_drawn_apart_from_all_others() -> None:
    config = SearchConfig("signs", signs_train=64, signs_val=16)
    images = divide_images(config, Path(), no_progress)
    assert (learned_from(config, Path("s")), images.files) == (("signs", None), {})
    one, other = (
        confirming(images, config, 32, workers=1, stage=no_progress).image(3, 0) for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)
    assert one.shape == (32, 32, 3)


def test_one_held_out_image_cannot_be_halved(tmp_path: Path) -> None:
    photos = draw_colours(tmp_path / "photos", 6)
    val = tmp_path / "val.csv"
    files = sorted((draw_colours(tmp_path / "others", 1, seed=9)).rglob("*.png"))
    val.write_text("file,label\n" + "".join(f"{one},{one.parent.name}\n" for one in files))
    with pytest.raises(DataError, match="too few images are held out"):
        divide_images(SearchConfig(str(photos), val=str(val)), tmp_path, no_progress)
