"""Features are computed once; what is kept of them is never trusted further than its checksum."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.errors import DataError
from edge_effnet.files.cache import cache_folder
from edge_effnet.teaching.backbone import Backbone, open_backbone
from edge_effnet.teaching.features import image_features

MakeModel = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def backbone(colour_model: MakeModel) -> Backbone:
    return open_backbone(colour_model())


@pytest.fixture
def images(colour_folder: Path) -> list[Path]:
    return sorted(colour_folder.rglob("*.png"))


def kept() -> list[Path]:
    return sorted((cache_folder() / "features").rglob("*.features"))


def test_features_are_computed_once(backbone: Backbone, images: list[Path]) -> None:
    first = image_features(backbone, images)
    assert first.values.shape == (30, 3, 3)  # images, views, the colours of this backbone
    assert len(kept()) == len(set(first.hashes)) == 30
    written = [path.stat().st_mtime_ns for path in kept()]
    again = image_features(backbone, images, workers=1)
    np.testing.assert_array_equal(again.values, first.values)
    assert [path.stat().st_mtime_ns for path in kept()] == written


@pytest.mark.parametrize(
    "content", [b"", b"PK", bytes(68), bytes(69), b"\xff" * 68], ids=lambda one: str(len(one))
)
def test_a_damaged_cache_file_is_written_anew(
    backbone: Backbone, images: list[Path], content: bytes
) -> None:
    first = image_features(backbone, images)
    sound = kept()[4].read_bytes()
    kept()[4].write_bytes(content)
    np.testing.assert_array_equal(image_features(backbone, images).values, first.values)
    assert kept()[4].read_bytes() == sound


def test_one_flipped_bit_is_seen(backbone: Backbone, images: list[Path]) -> None:
    first = image_features(backbone, images)
    content = bytearray(kept()[0].read_bytes())
    content[-1] ^= 1
    kept()[0].write_bytes(content)
    np.testing.assert_array_equal(image_features(backbone, images).values, first.values)


def test_another_backbone_has_its_own(colour_model: MakeModel, images: list[Path]) -> None:
    path = colour_model()
    image_features(open_backbone(path), images)
    other = image_features(open_backbone(path, preprocess="torch"), images)
    assert len(kept()) == 60
    assert other.values.min() < 0  # normalized


def test_a_cache_that_cannot_be_written_is_done_without(
    backbone: Backbone, images: list[Path], cache: Path
) -> None:
    cache.write_text("a file where the folder would be")
    assert image_features(backbone, images).values.shape == (30, 3, 3)


def test_images_removed_since_are_skipped(backbone: Backbone, images: list[Path]) -> None:
    images[2].unlink()
    found = image_features(backbone, images)
    assert found.index == (0, 1, *range(3, 30))
    assert "No such file" in found.skipped[0].reason


def test_none_that_can_be_read_is_an_error(backbone: Backbone, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(DataError, match="the only image cannot be read"):
        image_features(backbone, [tmp_path / "empty.jpg"])
