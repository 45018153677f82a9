"""What a model said about a list of images: the input of every figure in this package."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.errors import DataError, ModelError
from edge_effnet.heads.head import Head
from edge_effnet.heads.kinds import NO_LABEL, Task
from edge_effnet.heads.unknown import Unknown, is_unknown
from edge_effnet.metrics.one_model.classification import Flags, Indices, Scores
from edge_effnet.plurals import counted


@dataclass(frozen=True)
class HashedFile:
    """The model file that gave predictions, and its hash."""

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
        scores: images x classes, finite; what ``Head.scores`` makes of the model's output.
        truth: None where it is not known; else what the head's task asks for: the index of the
            true class of each image, int64 (images,); whether each label is true, bool (images,
            labels); or the true value, float64 (images, outputs).
        paths: one for each image.
        labels: one for each class, label or value.
        skipped: images of the data set that are not among ``paths``.
        head: what the scores mean; by default a probability for each class.
        similarity: of each image to those the model was taught, float32 (images,); None where it
            does not tell.
        rule: by which ``similarity`` makes an image "unknown"; None where nothing does.

    Raises:
        ModelError: a score is not a number, which no ranking can repair.
        ValueError: lengths that do not fit each other, or a class out of range.
    """

    scores: Scores
    truth: NDArray[Any] | None
    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    model: HashedFile | None = None
    skipped: tuple[Skipped, ...] = ()
    head: Head | None = None
    similarity: Float32Array | None = None
    rule: Unknown | None = None

    def __post_init__(self) -> None:
        if self.scores.ndim != 2 or self.scores.shape != (len(self.paths), len(self.labels)):
            raise ValueError(
                f"scores of shape {self.scores.shape} for {len(self.paths)} images "
                f"and {len(self.labels)} labels"
            )
        if self.similarity is not None and self.similarity.shape != (len(self.paths),):
            raise ValueError(f"similarity of shape {self.similarity.shape}, one each expected")
        if not len(self.paths):
            raise ValueError("predictions are about at least one image")
        if self.truth is not None:
            one_each = self.task == "classes"
            if self.truth.shape != ((len(self.paths),) if one_each else self.scores.shape):
                raise ValueError(f"truth of shape {self.truth.shape} for {len(self.paths)} images")
            if one_each and (self.truth.min() < 0 or self.truth.max() >= len(self.labels)):
                raise ValueError("a true class is outside the labels")
        broken = np.flatnonzero(~np.isfinite(self.scores).all(axis=1))
        if broken.size:
            raise ModelError(
                f"{self.name} gives scores that are not numbers",
                found=f"NaN or infinity for {broken.size} of {counted(len(self.paths), 'image')}, "
                f"first {self.paths[broken[0]]}",
                expected="finite scores",
                fix="convert the model again; float16 and damaged weights overflow like this",
            )

    @property
    def name(self) -> str:
        """The model's file name, for people."""
        return self.model.path.name if self.model else "the model"

    @cached_property
    def effective_head(self) -> Head:
        """The head that decides what the scores answer."""
        return self.head or Head("softmax", len(self.labels))

    @property
    def task(self) -> Task:
        """One class, several labels, or a value."""
        return "classes" if self.head is None else self.head.task

    @cached_property
    def answers(self) -> Indices:
        """The class answered for each image; only where the task is "classes"."""
        return self.effective_head.answers(self.scores)

    @cached_property
    def decisions(self) -> Flags:
        """Whether each label is answered, images x labels; only where the task is "labels"."""
        return self.effective_head.decisions(self.scores)

    @property
    def right(self) -> Flags:
        """Whether each image is answered right: its class, or each of its labels.

        Raises:
            ValueError: the truth is not known, or the task is "value".
        """
        if self.truth is None or self.task == "value":
            raise ValueError("nothing says which answers are right")
        if self.task == "labels":
            return np.asarray((self.decisions == self.truth).all(axis=1))
        return np.asarray(self.answers == self.truth)

    @cached_property
    def unknown(self) -> Flags | None:
        """Whether each image is answered "unknown", (images,); None where none ever is."""
        if self.rule is None or self.similarity is None:
            return None
        return np.array([is_unknown(self.rule, one) for one in self.similarity], np.bool_)

    def answer_text(self, chosen: tuple[int, ...]) -> str:
        """An answer in words: the name of its class, or of its labels."""
        return ", ".join(self.labels[index] for index in chosen) or NO_LABEL

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
            what,
            found=f"{len(ours)} and {counted(len(theirs), 'class', 'classes')}",
            expected="the same",
            fix=fix,
        )
    first = next(i for i, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
    found = f"label {first} is {ours[first]!r} and {theirs[first]!r}"
    if Counter(ours) == Counter(theirs):
        found += " (the same names in another order)"
    raise ModelError(what, found=found, expected="the same list", fix=fix)


def same_answers(one: Predictions, other: Predictions) -> Flags:
    """Whether two models answer each image alike: the same class, or the same set of labels.

    Raises:
        ValueError: the task is "value", where equal answers mean nothing.
    """
    if one.task == "labels":
        return np.asarray((one.decisions == other.decisions).all(axis=1))
    return np.asarray(one.answers == other.answers)


def require_same_task(reference: Predictions, candidate: Predictions) -> None:
    """Refuse to compare models whose answers are of different kinds.

    Raises:
        ModelError: one answers a class, say, and the other several labels.
    """
    if reference.task != candidate.task:
        names = reference.name, candidate.name
        refuse_other_head(names, (reference.effective_head, candidate.effective_head))


def refuse_other_head(names: tuple[str, str], heads: tuple[Head, Head]) -> NoReturn:
    """Raise the ModelError of two models whose answers are of different kinds."""
    raise ModelError(
        f"{names[0]} and {names[1]} do not answer the same question",
        found=f"a {heads[0].kind} head and a {heads[1].kind} head",
        expected="heads that both answer a class, labels, or a number",
        fix="if a head was taken for another kind, name the right one with --head",
    )


def require_same_images(reference: Predictions, candidate: Predictions) -> None:
    """Refuse to pair predictions that are not about the same images.

    Raises:
        DataError: other images, another order, or other true classes.
    """
    fix = "predict both models over one data set, with the same images skipped"
    what = f"{reference.name} and {candidate.name} were not run on the same images"
    if reference.paths != candidate.paths:
        counts = f"{len(reference.paths)} and {counted(len(candidate.paths), 'image')}"
        raise DataError(what, found=counts, expected="the same paths in the same order", fix=fix)
    ours, theirs = reference.truth, candidate.truth
    same = ours is theirs if ours is None or theirs is None else np.array_equal(ours, theirs)
    if not same:
        raise DataError(what, found="different true classes", fix=fix)
