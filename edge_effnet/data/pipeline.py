"""Images on their way into training, batched ahead.

Plain threads with OpenCV and NumPy, so any Keras backend can be fed. The order of the images and
all that is random about one of them derive from (seed, epoch, index in the data set), never from
which thread came first: a run that is resumed sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.data.image_sources import ImageSource, Indices, for_evaluation
from edge_effnet.data.threads import ahead
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.stages import Advance

Vary = Callable[[Pixels, np.random.Generator], Pixels]
PlanMix = Callable[[int, np.random.Generator], "MixPlan | None"]
"""Takes the number of images in a batch; answers with how they are mixed, None for not at all."""

# Streams of random numbers that must not coincide.
_ORDER, _IMAGE, _BATCH = 1, 2, 3


@dataclass(frozen=True)
class Batch:
    """Attributes:
    step: its number in the epoch, from 0.
    images: batch x side x side x 3, float32 pixels 0–255.
    truth: batch x classes, each row adding up to 1, or to 0 without a label.
    """

    step: int
    images: Float32Array
    truth: Float32Array


@dataclass(frozen=True)
class MixPlan:
    """How the images of a batch are mixed with each other.

    Attributes:
        partner: of each image, as an index into the batch.
        share: of the image itself in its truth; the rest is its partner's.
        hole: top, left and side of the square that is the partner's, in pixels; None blends the
            whole images.
    """

    partner: Indices
    share: float
    hole: tuple[int, int, int] | None = None

    def mixed(self, images: Pixels, partners: Pixels) -> Pixels | Float32Array:
        """Some images of the batch with their partners, both rows x side x side x 3."""
        if self.hole is None:
            first, second = images.astype(np.float32), partners.astype(np.float32)
            return np.asarray(self.share * first + (1 - self.share) * second, np.float32)
        top, left, side = self.hole
        mixed = images.copy()
        square = np.s_[:, top : top + side, left : left + side]
        mixed[square] = partners[square]
        return mixed

    def truth(self, truth: Float32Array, partners: Float32Array) -> Float32Array:
        """Their truth, rows x classes, each row adding up to 1."""
        return np.asarray(self.share * truth + (1 - self.share) * partners, np.float32)


def epoch_order(count: int, batch_size: int, *, seed: int, epoch: int) -> Indices:
    """The indices of an epoch in their order, steps x batch.

    The last batch is filled up from the front of the same order: one shape for all steps.
    """
    order = _random(seed, _ORDER, epoch).permutation(count)
    return np.resize(order, (steps_per_epoch(count, batch_size), batch_size)).astype(np.int64)


def steps_per_epoch(count: int, batch_size: int) -> int:
    return -(-count // batch_size)


def training_batches(
    source: ImageSource,
    *,
    classes: int,
    batch_size: int,
    vary: Vary,
    mix: PlanMix,
    seed: int,
    epoch: int,
    start: int = 0,
    rows: slice = slice(None),
    workers: int,
) -> Iterator[Batch]:
    """One epoch of training, a few batches ahead of who asks; from step ``start`` on.

    Args:
        rows: of each batch that are wanted; only they, and what is mixed into them, are read.
    """
    order = epoch_order(len(source), batch_size, seed=seed, epoch=epoch)
    # The last row is of zeros: that of UNLABELLED, -1.
    one_hot, labels = np.eye(classes + 1, classes, dtype=np.float32), source.labels

    def make(step: int) -> Batch:
        indices = order[step]
        known: dict[int, Pixels] = {}

        def varied(chosen: Indices) -> Pixels:
            for index in chosen.tolist():
                if index not in known:
                    random = _random(seed, _IMAGE, epoch, index)
                    known[index] = vary(source.image(index, epoch), random)
            return np.stack([known[index] for index in chosen.tolist()])

        plan = mix(len(indices), _random(seed, _BATCH, epoch, step))
        own = indices[rows]
        images, truth = varied(own), one_hot[labels[own]]
        if plan is None:
            # As the step wants them: converting here costs the step nothing.
            return Batch(step, images.astype(np.float32), truth)
        other = indices[plan.partner[rows]]
        mixed = plan.mixed(images, varied(other))
        return Batch(step, np.asarray(mixed, np.float32), plan.truth(truth, one_hot[labels[other]]))

    yield from ahead(make, range(start, len(order)), workers)


def evaluation_batches(
    source: ImageSource,
    *,
    side: int,
    batch_size: int,
    workers: int,
) -> Iterator[tuple[Pixels, Indices]]:
    """All images in order through THE preprocessing, as (images, labels).

    Every batch has ``batch_size`` images; the last one is filled up with repeats, which have
    no label: labels are shorter than images there.
    """
    prepared, labels = for_evaluation(side), source.labels

    def make(first: int) -> tuple[Pixels, Indices]:
        indices = np.arange(first, min(first + batch_size, len(source)))
        images = []
        for index in indices.tolist():
            pixels = source.image(index, 0)
            images.append(pixels if pixels.shape == (side, side, 3) else prepared(pixels))
        rows = np.resize(np.arange(len(images)), batch_size)
        return np.stack(images)[rows], labels[indices]

    yield from ahead(make, range(0, len(source), batch_size), workers)


def answers_of(
    function: Callable[[Pixels], NDArray[Any]],
    source: ImageSource,
    *,
    side: int,
    workers: int,
    batch_size: int = 64,
    advance: Advance = lambda _done: None,
) -> tuple[NDArray[Any], Indices]:
    """What a function of batches gives for every image of a source, in order, and the labels.

    Args:
        function: from batch x side x side x 3 to batch x anything.
        advance: called with the number of images done.
    """
    answers, truths, done = [], [], 0
    batches = evaluation_batches(
        source, side=side, batch_size=min(batch_size, len(source)), workers=workers
    )
    for images, labels in batches:
        answers.append(function(images)[: len(labels)])
        truths.append(labels)
        done += len(labels)
        advance(done)
    return np.concatenate(answers), np.concatenate(truths)


def _random(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
