"""The halves of the evaluation images."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy.selection import split
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError


def test_halves_share_no_image_and_cover_all(photos: Path) -> None:
    images = load_images(photos)
    selection, confirmation = split(images, seed=3)
    paths = [{sample.path for sample in part.samples} for part in (selection, confirmation)]
    assert not paths[0] & paths[1]
    assert paths[0] | paths[1] == {sample.path for sample in images.samples}
    assert split(images, seed=3)[0] == selection
    with pytest.raises(DataError, match="too small"):
        split(type(images)(images.samples[:3], images.labels, "few"), 0)
