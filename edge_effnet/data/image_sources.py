"""Images that a training or an evaluation asks for by index: files, rendered signs, arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.dataset import Sample
from edge_effnet.data.threads import ahead
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Pixels, Preprocess, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.plurals import none_can
from edge_effnet.stages import Advance

Indices = NDArray[np.int64]
Resize = Callable[[Pixels], Pixels]

UNLABELLED = -1
"""The label of an image without one."""
CACHE_BYTES = 2 << 30
# A crop of a third of the area has 0.58 of the side: twice the resolution loses nothing.
STORED_SIDES = 2


class ImageSource(Protocol):
    """Labelled images by index, 0 to len - 1; safe to ask from many threads."""

    @property
    def labels(self) -> Indices: ...

    def __len__(self) -> int: ...

    def image(self, index: int, epoch: int) -> Pixels:
        """RGB pixels of any size; the same for the same index and epoch."""
        ...


@dataclass(frozen=True)
class Unreadable:
    path: Path
    reason: str


@dataclass
class ImageFiles:
    """Image files, resized to what is needed, the first of them kept in memory.

    Attributes:
        samples: readable ones, each with a label.
        resize: from the decoded image to the stored one.
        cache: by index; as many images as fit.
    """

    samples: tuple[Sample, ...]
    resize: Resize
    cache: dict[int, Pixels] = field(default_factory=dict)

    @property
    def labels(self) -> Indices:
        return np.array([sample.label for sample in self.samples], np.int64)

    def __len__(self) -> int:
        return len(self.samples)

    def image(self, index: int, epoch: int) -> Pixels:  # noqa: ARG002 (files do not change)
        kept = self.cache.get(index)
        return self.resize(read_image(self.samples[index].path)) if kept is None else kept


@dataclass(frozen=True)
class RenderedSigns:
    """``signs``, rendered when asked for, and anew in every epoch.

    Attributes:
        count: images per epoch; labels go round, so every class has its share.
        classes: how many there are.
        side: of the images, in pixels.
        split: ``train`` or ``val``; no image is in two of them.
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

    def image(self, index: int, epoch: int) -> Pixels:
        from edge_effnet.data.signs.render import render_sample, split_index

        number = split_index(self.split, epoch * self.count + index)
        return render_sample(number, self.seed, self.side, label=index % self.classes)[0]


@dataclass(frozen=True)
class ImagesInMemory:
    images: tuple[Pixels, ...]
    labels: Indices

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int, epoch: int) -> Pixels:  # noqa: ARG002
        return self.images[index]


@dataclass(frozen=True)
class Subset:
    """Some images of another source.

    Attributes:
        indices: of them there.
    """

    source: ImageSource
    indices: Indices

    @property
    def labels(self) -> Indices:
        return np.asarray(self.source.labels[self.indices], np.int64)

    def __len__(self) -> int:
        return len(self.indices)

    def image(self, index: int, epoch: int) -> Pixels:
        return self.source.image(int(self.indices[index]), epoch)


@dataclass(frozen=True)
class WithUnlabelled:
    """Images of one source, and behind them those of another, whose labels are not looked at."""

    labelled: ImageSource
    unlabelled: ImageSource

    @property
    def labels(self) -> Indices:
        none = np.full(len(self.unlabelled), UNLABELLED, np.int64)
        return np.concatenate([self.labelled.labels, none])

    def __len__(self) -> int:
        return len(self.labelled) + len(self.unlabelled)

    def image(self, index: int, epoch: int) -> Pixels:
        behind = index - len(self.labelled)
        if behind < 0:
            return self.labelled.image(index, epoch)
        return self.unlabelled.image(behind, epoch)


def read_image_files(
    samples: Iterable[Sample],
    resize: Resize,
    *,
    workers: int,
    strict: bool = False,
    cache_bytes: int = CACHE_BYTES,
    advance: Advance | None = None,
) -> tuple[ImageFiles, list[Unreadable]]:
    """Read every image once: what cannot be read is left out, what fits is kept.

    Args:
        resize: see ``for_training`` and ``for_evaluation``.
        strict: refuse the first unreadable image.
        advance: called with the number of images done.

    Raises:
        DataError: an unreadable image (``strict``), or none that can be read.
    """
    everything = list(samples)

    def read(sample: Sample) -> Pixels | Unreadable:
        try:
            return resize(read_image(sample.path))
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
            f"{none_can(len(everything), 'image')} be read",
            found=unreadable[0].reason if unreadable else "no images",
            fix="replace the images",
        )
    return ImageFiles(tuple(kept), resize, cache), unreadable


def render_once(
    signs: RenderedSigns,
    resize: Resize,
    *,
    workers: int,
    advance: Advance,
) -> ImagesInMemory:
    """The signs of epoch 0, kept."""
    images: list[Pixels] = []
    for image in ahead(lambda index: resize(signs.image(index, 0)), range(len(signs)), workers):
        images.append(image)
        advance(len(images))
    return ImagesInMemory(tuple(images), signs.labels)


def for_training(side: int) -> Resize:
    """How training images are kept: the short side at most ``STORED_SIDES`` times the input's."""

    def resize(pixels: Pixels) -> Pixels:
        rows, columns = pixels.shape[:2]
        scale = STORED_SIDES * side / min(rows, columns)
        if scale >= 1:
            return pixels
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)

    return resize


def for_evaluation(side: int) -> Resize:
    """How validation images are kept: through THE preprocessing."""

    def resize(pixels: Pixels) -> Pixels:
        return preprocess(pixels, Preprocess(side, side))

    return resize
