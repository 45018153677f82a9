"""``train --teacher``: a trained network whose scores a run learns from.

    find_teacher   a checkpoint, a run folder, a whole model file, or a variant's weights
    columns_of     which of its scores are those of the run's classes
    TeacherScores  what it says of a batch of the run's own augmented images

A teacher is fed as it expects: the images that the student gets are resized to its input and
normalized as its card or its file says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.data.image_sources import ImageSource
from edge_effnet.data.labels import listed, match_label
from edge_effnet.data.pipeline import evaluation_batches
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Pixels, Preprocess, normalize, preprocess
from edge_effnet.training.cluster.group import ALONE, Group

_SMALLEST_SCORE = 1e-12  # a probability of 0 has no logarithm


class Answering(Protocol):
    """The logits of a batch that is ready for the teacher's input."""

    def __call__(self, ready: Float32Array) -> Float32Array: ...


@dataclass(frozen=True)
class Teacher:
    """An open teacher.

    Attributes:
        name: for people.
        path: of its file; what a resumed run opens again.
        labels: its classes in the order of its scores; None where it does not name them.
        classes: how many there are.
        preprocess: what an image goes through.
        answer: its logits; images x height x width x channels, normalized, to images x classes.
        origin: for the card: kind, file, sha256 and, of a variant, its name.
        steps: its provenance, where its file says it.
        notices: lines for the user.
    """

    name: str
    path: Path
    labels: tuple[str, ...] | None
    classes: int
    preprocess: Preprocess
    answer: Answering = field(repr=False)
    origin: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For the state of a run: the origin, the path to open it again, and its steps, which say
        the images that it learned from."""
        return {**self.origin, "path": str(self.path), "steps": list(self.steps)}


def columns_of(teacher: Teacher, labels: Sequence[str], source: str) -> NDArray[np.int64]:
    """The indices of the teacher's scores that are those of the run's classes.

    Args:
        labels: of the run, in order.
        source: of its images, for people.

    Raises:
        DataError: the teacher does not know a class, or takes two of them for one.
    """
    if teacher.labels is None:
        if teacher.classes == len(labels):
            return np.arange(len(labels))
        raise _other_classes(teacher, source, f"{teacher.classes} classes", f"{len(labels)}")
    places = [match_label(name, teacher.labels) for name in labels]
    if unknown := [name for name, place in zip(labels, places, strict=True) if place is None]:
        found = f"no {listed(map(repr, unknown))} among its {teacher.classes}: "
        raise _other_classes(teacher, source, found + listed(teacher.labels), "every class")
    columns = np.array(places, np.int64)
    if len(set(places)) < len(places):
        twice = [
            name for name, place in zip(labels, places, strict=True) if places.count(place) > 1
        ]
        found = f"{listed(map(repr, twice))} are one class of it"
        raise _other_classes(teacher, source, found, "a class for each")
    return columns


def _other_classes(teacher: Teacher, source: str, found: str, expected: str) -> DataError:
    return DataError(
        f"the teacher {teacher.name} does not tell the classes of {source} apart",
        found=found,
        expected=f"{expected} of {source}",
        fix="give a teacher that was trained on these classes, for example the run folder of a "
        "larger network on the same images",
    )


@dataclass
class TeacherScores:
    """The teacher's logits for the classes of a run.

    Attributes:
        columns: see ``columns_of``.
        repeating: whether the same images come again, so that what was said of one is kept, by
            the hash of its pixels.
    """

    teacher: Teacher
    columns: NDArray[np.int64]
    repeating: bool = False
    _kept: dict[bytes, Float32Array] = field(default_factory=dict, repr=False)

    def __call__(self, images: Float32Array) -> Float32Array:
        """Logits (images, classes) of augmented images, images x side x side x 3, pixels 0-255."""
        if not self.repeating:
            return self._ask([self._ready(image) for image in images])
        keys = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
        new = {key: index for index, key in enumerate(keys) if key not in self._kept}
        if new:
            # Filled up to a whole batch: one shape, so that an image gets the same scores
            # whatever else is new beside it.
            order = np.resize(list(new.values()), len(images))
            asked = self._ask([self._ready(images[index]) for index in order])
            self._kept.update(zip(new, asked, strict=False))
        return np.stack([self._kept[key] for key in keys])

    def _ready(self, image: Float32Array) -> Float32Array:
        settings = replace(self.teacher.preprocess, crop=1.0)  # it is a crop already
        if image.shape != settings.shape or settings.channels != "rgb":
            pixels: Pixels = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
            return normalize(preprocess(pixels, settings), settings)
        return normalize(np.asarray(image), settings)

    def _ask(self, ready: list[Float32Array]) -> Float32Array:
        logits = self.teacher.answer(np.stack(ready))
        return np.ascontiguousarray(logits[:, self.columns], np.float32)

    def accuracy(
        self, source: ImageSource, *, side: int, workers: int, group: Group = ALONE
    ) -> float:
        """Share of the images of a source that it answers right, through THE preprocessing of the
        student: among the run's classes.

        Args:
            group: of workers with the same teacher, each of which asks it about its share.
        """
        own, right = group.subset(source), 0
        for images, labels in evaluation_batches(
            own, side=side, batch_size=min(32, len(own)), workers=workers
        ):
            answers = self(images.astype(np.float32)).argmax(axis=1)
            right += int((answers[: len(labels)] == labels).sum())
        return float(group.sum(np.array([right]))[0]) / len(source)


def log_scores(scores: Float32Array) -> Float32Array:
    """Probabilities to logits: of these the softmax gives the same probabilities."""
    return np.log(np.maximum(scores, np.float32(_SMALLEST_SCORE)))


def on_batches(one: Callable[[Float32Array], Float32Array]) -> Answering:
    """From a function of one image to one of a batch."""
    return lambda ready: np.stack([one(image) for image in ready])
