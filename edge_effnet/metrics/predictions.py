"""What a model said about a list of images: the input of every figure in this package."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import DataError, ModelError
from edge_effnet.heads import Head
from edge_effnet.metrics.classification import Flags, Indices, Scores


@dataclass(frozen=True)
class ModelFile:
    """Which file gave the predictions."""

    path: Path
    sha256: str
    size_bytes: int

    def to_json(self) -> dict[str, Any]:
        return {"file": str(self.path), "sha256": self.sha256, "size_bytes": self.size_bytes}


@dataclass(frozen=True)
class Skipped:
    """An image that could not be read, and the line that says why."""

    path: Path
    reason: str

    def to_json(self) -> dict[str, str]:
        return {"file": str(self.path), "reason": self.reason}


@dataclass(frozen=True, eq=False)
class Predictions:
    """Scores of one model for images in a fixed order.

    Attributes:
        scores: images x classes, finite; probabilities or logits, higher is more likely.
        truth: index of the true class of each image; None where it is not known.
        paths: one for each image.
        labels: one for each class.
        skipped: images of the data set that are not among ``paths``.
        head: what the scores mean; by default a probability for each class.

    Raises:
        ModelError: a score is not a number, which no ranking can repair.
        ValueError: lengths that do not fit each other, or a class out of range.
    """

    scores: Scores
    truth: NDArray[Any] | None
    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    model: ModelFile | None = None
    skipped: tuple[Skipped, ...] = ()
    head: Head | None = None

    def __post_init__(self) -> None:
        if self.scores.ndim != 2 or self.scores.shape != (len(self.paths), len(self.labels)):
            raise ValueError(
                f"scores of shape {self.scores.shape} for {len(self.paths)} images "
                f"and {len(self.labels)} labels"
            )
        if not len(self.paths):
            raise ValueError("predictions are about at least one image")
        if self.truth is not None:
            if self.truth.shape != (len(self.paths),):
                raise ValueError(f"{self.truth.shape} true classes for {len(self.paths)} images")
            if self.truth.min() < 0 or self.truth.max() >= len(self.labels):
                raise ValueError("a true class is outside the labels")
        broken = np.flatnonzero(~np.isfinite(self.scores).all(axis=1))
        if broken.size:
            raise ModelError(
                f"{self.name} gives scores that are not numbers",
                found=f"NaN or infinity for {broken.size} of {len(self.paths)} images, "
                f"first {self.paths[broken[0]]}",
                expected="finite scores",
                fix="convert the model again; float16 and damaged weights overflow like this",
            )

    @property
    def name(self) -> str:
        """The model's file name, for people."""
        return self.model.path.name if self.model else "the model"

    @property
    def answers(self) -> Indices:
        """The class answered for each image; of equal scores the lower index."""
        return (self.head or Head("softmax", len(self.labels))).answers(self.scores)

    @property
    def right(self) -> Flags:
        """Whether each image is answered right.

        Raises:
            ValueError: the truth is not known.
        """
        if self.truth is None:
            raise ValueError("nothing says which answers are right")
        return np.asarray(self.answers == self.truth)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels, told apart by their index where two are spelled the same."""
        seen = Counter(self.labels)
        return tuple(
            name if seen[name] == 1 else f"{name} ({index})"
            for index, name in enumerate(self.labels)
        )


def require_same_labels(
    ours: tuple[str, ...], theirs: tuple[str, ...], names: tuple[str, str]
) -> None:
    """Refuse two label lists that differ, and say where first; ``names`` are the models'.

    Raises:
        ModelError: their number, names or order differ.
    """
    if ours == theirs:
        return
    fix = "compare models of the same classes; if a list is wrong, give the right one: --labels"
    what = f"{names[0]} and {names[1]} have different labels"
    if len(ours) != len(theirs):
        raise ModelError(
            what, found=f"{len(ours)} and {len(theirs)} classes", expected="the same", fix=fix
        )
    first = next(i for i, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
    found = f"label {first} is {ours[first]!r} and {theirs[first]!r}"
    if Counter(ours) == Counter(theirs):
        found += " (the same names in another order)"
    raise ModelError(what, found=found, expected="the same list", fix=fix)


def require_same_images(reference: Predictions, candidate: Predictions) -> None:
    """Refuse to pair predictions that are not about the same images.

    Raises:
        DataError: other images, another order, or other true classes.
    """
    fix = "predict both models over one data set, with the same images skipped"
    what = f"{reference.name} and {candidate.name} were not run on the same images"
    if reference.paths != candidate.paths:
        counts = f"{len(reference.paths)} and {len(candidate.paths)} images"
        raise DataError(what, found=counts, expected="the same paths in the same order", fix=fix)
    ours, theirs = reference.truth, candidate.truth
    same = ours is theirs if ours is None or theirs is None else np.array_equal(ours, theirs)
    if not same:
        raise DataError(what, found="different true classes", fix=fix)
