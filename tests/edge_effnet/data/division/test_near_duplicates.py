"""One image is recognized whatever was done to its file, and two images are kept apart."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.near_duplicates import (
    NEAR_BITS,
    find,
    find_copies,
    find_duplicates,
    groups,
)
from edge_effnet.data.division.prints import Prints, prints_of
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.errors import DataError
from tests.edge_effnet.data.conftest import MakePhotos, draw, write


def made_up(hashes: np.ndarray, first: int = 0) -> Prints:
    content = np.arange(first, first + len(hashes), dtype=np.uint64)
    return Prints(content, np.asarray(hashes, np.uint64), np.ones(len(hashes), np.bool_))


def flipped(one: np.ndarray, bits: list[int]) -> np.ndarray:
    changed = one.copy()
    for bit in bits:
        changed[bit // 64] ^= np.uint64(1 << bit % 64)
    return changed


@pytest.mark.parametrize("scale", [0.5, 0.25, 2.0])
@pytest.mark.parametrize(("suffix", "quality"), [(".jpg", 40), (".jpg", 90), (".png", 0)])
def test_resized_and_encoded_again(tmp_path: Path, scale: float, suffix: str, quality: int) -> None:
    originals = [write(tmp_path / f"{seed}.jpg", draw(seed, 640)) for seed in range(4)]
    copies = []
    for path in originals:
        pixels = cv2.resize(cv2.imread(str(path)), None, fx=scale, fy=scale)
        copies.append(write(path.with_name(f"copy-{path.stem}{suffix}"), pixels, quality))
    assert find(prints_of(copies), prints_of(originals)).tolist() == [0, 1, 2, 3]
    assert (find_copies(prints_of(copies), prints_of(originals)) == -1).all()


def test_different_photos_are_kept_apart(reference: Path) -> None:
    for name in ("flowers5", "fruit6"):
        prints = prints_of([s.path for s in load_images(reference / "images" / name).samples])
        assert len(set(groups(prints).tolist())) >= len(prints) - 1  # one pair is one photo edited


def test_pictures_that_show_nothing_are_alike_by_their_bytes_alone(tmp_path: Path) -> None:
    flat = [
        write(tmp_path / f"{level}.png", np.full((90, 90, 3), level, np.uint8))
        for level in (0, 128, 255)
    ]
    (tmp_path / "broken.jpg").write_text("no image")
    prints = prints_of([*flat, tmp_path / "broken.jpg"])
    assert prints.readable.tolist() == [True, True, True, False]
    assert len(set(groups(prints).tolist())) == 4
    assert find(prints, prints).tolist() == [0, 1, 2, 3]
    with pytest.raises(DataError, match="cannot be read"):
        prints_of([tmp_path / "missing.jpg"])


def test_files_that_may_not_be_read_are_like_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> int:
        raise PermissionError("no permission")

    paths = [write(tmp_path / f"{name}.jpg", draw(1)) for name in "ab"]
    monkeypatch.setattr(os, "open", refuse)  # root may read anything
    prints = prints_of(paths)
    assert prints.readable.tolist() == [False, False]
    assert find(prints, prints).tolist() == [0, 1]


@given(st.integers(0, 2**32), st.lists(st.integers(0, 127), unique=True, max_size=20))
def test_near_is_so_many_bits_and_no_more(seed: int, bits: list[int]) -> None:
    hashes = np.random.default_rng(seed).integers(0, 2**64, (20, 2), dtype=np.uint64)
    wanted = made_up(flipped(hashes[7], bits)[None], first=100)
    assert find(wanted, made_up(hashes)).tolist() == [7 if len(bits) <= NEAR_BITS else -1]
    joined = groups(made_up(np.concatenate([hashes, wanted.perceptual_hash])))
    assert (joined[20] == joined[7]) == (len(bits) <= NEAR_BITS)


def test_a_chain_is_one_group() -> None:
    """Frames of a clip: each resembles the next, the last no more the first."""
    one = np.zeros(2, np.uint64)
    chain = [flipped(one, list(range(8 * step))) for step in range(6)]
    apart = np.random.default_rng(0).integers(0, 2**64, (3, 2), dtype=np.uint64)
    number = groups(made_up(np.concatenate([chain, apart])))
    assert len(set(number[:6].tolist())) == 1
    assert len(set(number.tolist())) == 4


def test_many_against_many_takes_seconds() -> None:
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**64, (20_000, 2), dtype=np.uint64)
    order = random.permutation(20_000)
    near = np.array([flipped(one, [1, 70, 99]) for one in hashes[order[:200]]])
    assert find(made_up(near, first=50_000), made_up(hashes)).tolist() == order[:200].tolist()
    assert len(set(groups(made_up(hashes)).tolist())) == 20_000


def test_a_class_of_look_alikes_is_told_apart_by_bytes(photos: MakePhotos) -> None:
    """A camera that stands still: every image resembles every other."""
    source = photos({"cat": 6})
    for number in range(8):
        pixels = draw(500)
        cv2.circle(pixels, (20 + 15 * number, 80), 3, (255, 255, 255), -1)
        write(source / "line" / f"{number}.png", pixels)
    duplicates = find_duplicates(load_dataset(source))
    assert duplicates.alike.tolist() == [False] * 6 + [True] * 8
    assert len(set(duplicates.group.tolist())) == 14


def test_of_several_labels_the_rarest_counts() -> None:
    samples = [
        Sample(Path(f"{place}.jpg"), None, labels=labels)
        for place, labels in enumerate([(0,), (0, 1), (0, 1, 2), ()])
    ]
    from edge_effnet.data.division.near_duplicates import strata_of

    assert strata_of(samples) == (0, 1, 2, None)
    assert strata_of(Dataset((Sample(Path("a.jpg"), 3),), (), "").samples) == (3,)
