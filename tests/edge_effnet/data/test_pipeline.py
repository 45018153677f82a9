from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.data.image_sources import (
    ImageFiles,
    RenderedSigns,
    for_evaluation,
    for_training,
    read_image_files,
)
from edge_effnet.data.listing import load_dataset
from edge_effnet.data.pipeline import (
    MixPlan,
    answers_of,
    epoch_order,
    evaluation_batches,
    training_batches,
)
from edge_effnet.data.threads import ahead
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Preprocess, preprocess
from edge_effnet.image.reading import read_image
from tests.edge_effnet.training.conftest import colours, draw_colours

__all__ = ["colours"]  # a fixture


def load(folder: Path, side: int = 32, **options: object) -> ImageFiles:
    return read_image_files(load_dataset(folder).samples, for_training(side), workers=2, **options)[
        0
    ]  # type: ignore[arg-type]


def batches(photos: ImageFiles, epoch: int, start: int = 0, workers: int = 2) -> list[bytes]:
    made = training_batches(
        photos,
        classes=3,
        batch_size=10,
        vary=lambda pixels, random: pixels[:8, :8] // 2 + random.integers(99, dtype=np.uint8),
        mix=lambda count, random: MixPlan(random.permutation(count), random.random()),
        seed=5,
        epoch=epoch,
        start=start,
        workers=workers,
    )
    return [batch.images.tobytes() + batch.truth.tobytes() for batch in made]


def test_an_epoch_begun_in_the_middle_is_the_rest_of_it(colours: Path) -> None:
    photos = load(colours)
    whole = batches(photos, epoch=2)
    assert len(whole) == 5
    assert batches(photos, epoch=2, start=3, workers=1) == whole[3:]
    assert batches(photos, epoch=3) != whole


def test_every_image_is_seen_in_every_epoch() -> None:
    for epoch in range(3):
        order = epoch_order(48, 10, seed=0, epoch=epoch)
        assert order.shape == (5, 10)
        assert set(order.ravel().tolist()) == set(range(48))
    assert epoch_order(3, 8, seed=0, epoch=0).shape == (1, 8)


def test_what_does_not_fit_in_memory_is_read_again(colours: Path) -> None:
    small, large = load(colours, cache_bytes=20_000), load(colours)
    assert len(small.cache) == 20_000 // (40 * 48 * 3)
    assert len(large.cache) == len(large) == 48
    assert batches(small, epoch=1) == batches(large, epoch=1)


def test_large_photos_are_stored_small() -> None:
    assert for_training(32)(np.zeros((300, 900, 3), np.uint8)).shape == (64, 192, 3)
    assert for_training(32)(np.zeros((50, 900, 3), np.uint8)).shape == (50, 900, 3)


def test_evaluation_is_the_preprocessing(colours: Path) -> None:
    dataset = load_dataset(colours)
    photos, _ = read_image_files(dataset.samples, for_evaluation(32), workers=2)
    rows = list(evaluation_batches(photos, side=32, batch_size=20, workers=2))
    assert [images.shape for images, _ in rows] == [(20, 32, 32, 3)] * 3
    assert [len(labels) for _, labels in rows] == [20, 20, 8]
    expected = preprocess(read_image(dataset.samples[21].path), Preprocess(32, 32))
    np.testing.assert_array_equal(rows[1][0][1], expected)


def test_every_image_is_answered_once_and_in_order(colours: Path) -> None:
    dataset = load_dataset(colours)
    source, _ = read_image_files(dataset.samples, for_evaluation(32), workers=2)
    done: list[int] = []
    brightest, labels = answers_of(
        lambda images: images.argmax(axis=3).mean(axis=(1, 2)),
        source,
        side=32,
        workers=2,
        batch_size=20,
        advance=done.append,
    )
    assert done == [20, 40, 48]
    assert labels.tolist() == [sample.label for sample in dataset.samples]
    expected = [source.image(index, 0).argmax(axis=2).mean() for index in range(48)]
    np.testing.assert_allclose(brightest, expected)


def test_unreadable_images_are_left_out_and_named(tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 3)
    (folder / "green" / "0.png").write_bytes(b"no image")
    samples = load_dataset(folder).samples
    done: list[int] = []
    photos, unreadable = read_image_files(samples, for_training(32), workers=2, advance=done.append)
    assert len(photos) == 8
    assert done == list(range(1, 10))
    assert [image.path.name for image in unreadable] == ["0.png"]
    assert "green/0.png" in unreadable[0].reason
    with pytest.raises(DataError, match=r"green/0\.png"):
        read_image_files(samples, for_training(32), workers=2, strict=True)


def test_no_readable_image_at_all(tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 1)
    for path in folder.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="none of the 3 images"):
        load(folder)


def test_signs_are_balanced_and_new_in_every_epoch() -> None:
    signs = RenderedSigns(count=40, classes=16, side=36, seed=1, split="train")
    other = RenderedSigns(count=40, classes=16, side=36, seed=1, split="val")
    assert np.bincount(signs.labels).tolist() == [3] * 8 + [2] * 8
    first = signs.image(5, 0)
    assert first.shape == (36, 36, 3)
    np.testing.assert_array_equal(first, signs.image(5, 0))
    assert (first != signs.image(5, 1)).any()
    assert (first != other.image(5, 0)).any()


def test_results_come_in_order_and_errors_where_they_belong() -> None:
    def work(number: int) -> int:
        if number == 7:
            raise DataError("seven", fix="none")
        return number * number

    made = ahead(work, range(20), 3)
    assert [next(made) for _ in range(7)] == [n * n for n in range(7)]
    with pytest.raises(DataError):
        next(made)


def test_leaving_early_leaves_no_threads_and_opencv_as_it_was() -> None:
    before = cv2.getNumThreads()
    made = ahead(lambda number: number, range(1000), 2)
    assert next(made) == 0
    made.close()
    assert cv2.getNumThreads() == before
    assert not [t for t in threading.enumerate() if t.name.startswith("images")]
