"""Pictures on their way into training: decoded, kept in memory where they fit, batched ahead.

Plain threads with OpenCV and NumPy, so any Keras backend can be fed. The order of the pictures
and all that is random about one of them derive from (seed, epoch, place in the data set),
never from which thread came first: a run that is resumed sees what it would have seen.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.dataset import Sample
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Pixels, Preprocess, preprocess, read_image

Indices = NDArray[np.int64]
Floats = NDArray[np.float32]
Vary = Callable[[Pixels, np.random.Generator], Pixels]
Mix = Callable[[Pixels, Floats, np.random.Generator], tuple["Pixels | Floats", Floats]]
Advance = Callable[[int], None]
_Task = TypeVar("_Task")
_Made = TypeVar("_Made")

CACHE_BYTES = 2 << 30
# A crop of a third of the area has 0.58 of the side: twice the resolution loses nothing.
STORED_SIDES = 2
# Streams of random numbers that must not coincide.
_ORDER, _PICTURE, _BATCH = 1, 2, 3


class Pictures(Protocol):
    """Labelled pictures by place, 0 to len - 1; safe to ask from many threads."""

    @property
    def labels(self) -> Indices: ...

    def __len__(self) -> int: ...

    def picture(self, place: int, epoch: int) -> Pixels:
        """RGB pixels of any size; the same for the same place and epoch."""
        ...


@dataclass(frozen=True)
class Batch:
    """Attributes:
    step: its number in the epoch, from 0.
    images: batch x side x side x 3, float32 pixels 0–255.
    truth: batch x classes, each row adding up to 1.
    """

    step: int
    images: Floats
    truth: Floats


@dataclass(frozen=True)
class Unreadable:
    path: Path
    reason: str


@dataclass
class Photos:
    """Image files, shrunk to what training can use, the first of them kept in memory.

    Attributes:
        samples: readable ones, each with a label.
        shrink: from the decoded picture to the stored one.
        cache: by place; as many pictures as fit ``CACHE_BYTES``.
    """

    samples: tuple[Sample, ...]
    shrink: Callable[[Pixels], Pixels]
    cache: dict[int, Pixels] = field(default_factory=dict)

    @property
    def labels(self) -> Indices:
        return np.array([sample.label for sample in self.samples], np.int64)

    def __len__(self) -> int:
        return len(self.samples)

    def picture(self, place: int, epoch: int) -> Pixels:  # noqa: ARG002 (photos do not change)
        kept = self.cache.get(place)
        return self.shrink(read_image(self.samples[place].path)) if kept is None else kept


@dataclass(frozen=True)
class DrawnSigns:
    """``signs``, drawn when asked for, and drawn anew in every epoch.

    Attributes:
        count: pictures per epoch; labels go round, so every class has its share.
        classes: how many there are.
        side: of the pictures, in pixels.
        split: ``train`` or ``val``; no picture is in two of them.
    """

    count: int
    classes: int
    side: int
    seed: int
    split: str

    @property
    def labels(self) -> Indices:
        return np.arange(self.count, dtype=np.int64) % self.classes

    def __len__(self) -> int:
        return self.count

    def picture(self, place: int, epoch: int) -> Pixels:
        from edge_effnet.data.signs.render import render_sample, split_index

        index = split_index(self.split, epoch * self.count + place)
        return render_sample(index, self.seed, self.side, label=place % self.classes)[0]


def load_photos(
    samples: Iterable[Sample],
    shrink: Callable[[Pixels], Pixels],
    *,
    workers: int,
    strict: bool = False,
    cache_bytes: int = CACHE_BYTES,
    advance: Advance | None = None,
) -> tuple[Photos, list[Unreadable]]:
    """Read every image once: what cannot be read is left out, what fits is kept.

    Args:
        shrink: see ``stored`` and ``prepared``.
        strict: refuse the first unreadable image.
        advance: called with the number of images done.

    Raises:
        DataError: an unreadable image (``strict``), or none that can be read.
    """
    everything = list(samples)

    def read(sample: Sample) -> Pixels | Unreadable:
        try:
            return shrink(read_image(sample.path))
        except DataError as error:
            if strict:
                raise
            return Unreadable(sample.path, str(error))

    kept: list[Sample] = []
    cache: dict[int, Pixels] = {}
    unreadable: list[Unreadable] = []
    room = cache_bytes
    for done, (sample, outcome) in enumerate(
        zip(everything, ahead(read, everything, workers), strict=True), start=1
    ):
        if isinstance(outcome, Unreadable):
            unreadable.append(outcome)
        else:
            if outcome.nbytes <= room:
                room -= outcome.nbytes
                cache[len(kept)] = outcome
            kept.append(sample)
        if advance is not None:
            advance(done)
    if not kept:
        raise DataError(
            f"none of the {len(everything)} images can be read",
            found=unreadable[0].reason if unreadable else "no images",
            fix="replace the images",
        )
    return Photos(tuple(kept), shrink, cache), unreadable


def stored(side: int) -> Callable[[Pixels], Pixels]:
    """How training pictures are kept: the short side at most ``STORED_SIDES`` times the input's."""

    def shrink(pixels: Pixels) -> Pixels:
        rows, columns = pixels.shape[:2]
        scale = STORED_SIDES * side / min(rows, columns)
        if scale >= 1:
            return pixels
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)

    return shrink


def prepared(side: int) -> Callable[[Pixels], Pixels]:
    """How validation pictures are kept: through THE preprocessing."""

    def shrink(pixels: Pixels) -> Pixels:
        return preprocess(pixels, Preprocess(side, side))

    return shrink


def epoch_order(count: int, batch_size: int, *, seed: int, epoch: int) -> Indices:
    """The places of an epoch in their order, steps x batch.

    The last batch is filled up from the front of the same order: one shape for all steps.
    """
    order = _random(seed, _ORDER, epoch).permutation(count)
    return np.resize(order, (steps_per_epoch(count, batch_size), batch_size)).astype(np.int64)


def steps_per_epoch(count: int, batch_size: int) -> int:
    return -(-count // batch_size)


def training_batches(
    pictures: Pictures,
    *,
    classes: int,
    batch_size: int,
    vary: Vary,
    mix: Mix,
    seed: int,
    epoch: int,
    start: int = 0,
    workers: int,
) -> Iterator[Batch]:
    """One epoch of training, a few batches ahead of who asks; from step ``start`` on."""
    order = epoch_order(len(pictures), batch_size, seed=seed, epoch=epoch)
    one_hot, labels = np.eye(classes, dtype=np.float32), pictures.labels

    def make(step: int) -> Batch:
        places = order[step].tolist()
        images = np.stack(
            [
                vary(pictures.picture(place, epoch), _random(seed, _PICTURE, epoch, place))
                for place in places
            ]
        )
        mixed, truth = mix(images, one_hot[labels[places]], _random(seed, _BATCH, epoch, step))
        # As the step wants them: converting here costs the step nothing.
        return Batch(step, np.asarray(mixed, np.float32), truth)

    yield from ahead(make, range(start, len(order)), workers)


def evaluation_batches(
    pictures: Pictures,
    *,
    side: int,
    batch_size: int,
    workers: int,
) -> Iterator[tuple[Pixels, Indices]]:
    """All pictures in order through THE preprocessing, as (images, labels).

    Every batch has ``batch_size`` images; the last one is filled up with repeats, which have
    no label: labels are shorter than images there.
    """
    how, labels = Preprocess(side, side, crop=1.0), pictures.labels
    whole = prepared(side)

    def make(first: int) -> tuple[Pixels, Indices]:
        places = np.arange(first, min(first + batch_size, len(pictures)))
        images = []
        for place in places.tolist():
            pixels = pictures.picture(place, 0)
            done = pixels.shape == (how.height, how.width, 3)
            images.append(pixels if done else whole(pixels))
        rows = np.resize(np.arange(len(images)), batch_size)
        return np.stack(images)[rows], labels[places]

    yield from ahead(make, range(0, len(pictures), batch_size), workers)


def ahead(work: Callable[[_Task], _Made], tasks: Iterable[_Task], workers: int) -> Iterator[_Made]:
    """``map`` on threads, in order, a few results ahead of who asks.

    An error of ``work`` is raised where its result would have come. Leaving the loop early
    drops what has not begun.
    """
    waiting: deque[Future[_Made]] = deque()
    with _opencv_alone(), ThreadPoolExecutor(workers, thread_name_prefix="pictures") as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(work, task))
                if len(waiting) > workers + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


_opencv_users = 0
_opencv_lock = threading.Lock()
_opencv_threads = 1


@contextmanager
def _opencv_alone() -> Iterator[None]:
    """One OpenCV thread per worker: the cores are busy already. Blocks may overlap."""
    global _opencv_users, _opencv_threads
    with _opencv_lock:
        if _opencv_users == 0:
            _opencv_threads = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _opencv_users += 1
    try:
        yield
    finally:
        with _opencv_lock:
            _opencv_users -= 1
            if _opencv_users == 0:
                cv2.setNumThreads(_opencv_threads)


def _random(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
