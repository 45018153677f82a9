"""Which images a network was trained on: recorded with its weights, recognized at evaluation.

A record is part of a step in a checkpoint's metadata and in a model card, under ``data`` and
``images``: for the images learned from and those held out, how many there were and what each is
recognized by (see ``near_duplicates``): 24 bytes an image, 32 characters as base64. Of more than
``MOST`` on a side the record keeps a sample, those with the smallest hashes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.near_duplicates import find, find_copies, find_duplicates
from edge_effnet.data.division.prints import Prints, prints_of
from edge_effnet.plurals import counted
from edge_effnet.stages import StartStage, no_progress

MOST = 10_000
_WORDS = 3  # of 8 bytes: content, and two of the perceptual hash

Steps = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """One training: what was learned from and what was held out, maybe samples of them."""

    trained: Prints
    held_out: Prints
    complete: bool


@dataclass(frozen=True)
class EvaluationSet:
    """The images of a data set to evaluate models on, and what was left out.

    Attributes:
        dataset: images that no model was trained on; where there are none, all of them.
        images: how many were given.
        trained, held_out, unseen: how many of those some model was trained on, how many its
            training held out, and how many it never saw; what cannot be read is none of them.
        unknown: how many cannot be told, because a record is a sample.
        recorded: whether any model says what it was trained on.
        is_evidence: False where a model was trained on all that there are.
        line: what to say first; None where nothing is.
    """

    dataset: Dataset
    images: int
    trained: int = 0
    held_out: int = 0
    unseen: int = 0
    unknown: int = 0
    recorded: bool = True
    is_evidence: bool = True
    line: str | None = None

    def to_json(self) -> dict[str, Any]:
        """``{"trained_on": {…}}``, for a document; empty where nothing is recorded."""
        kept = ("images", "trained", "held_out", "unseen", "unknown", "is_evidence", "line")
        return {"trained_on": {key: vars(self)[key] for key in kept}} if self.recorded else {}


@dataclass(frozen=True)
class SeenInTraining:
    """Images of a data set that models were trained on.

    Attributes:
        copies: those images themselves, byte for byte.
        near: others that show the same, scaled or encoded anew.
    """

    copies: tuple[Path, ...]
    near: tuple[Path, ...]

    def to_json(self) -> dict[str, Any]:
        return {"copies": list(map(str, self.copies)), "near": list(map(str, self.near))}


def record(learned: Dataset | None, held_out: Dataset | None) -> dict[str, Any] | None:
    """What a step keeps of the images it learned from; None for drawn images. What cannot be read
    is skipped by a training, so it is no part of its record.

    Raises:
        DataError: an image is not there any more.
    """
    if learned is None:
        return None
    others = held_out or replace(learned, samples=())
    return record_of(find_duplicates(learned).prints, find_duplicates(others).prints)


def record_of(trained: Prints, held_out: Prints) -> dict[str, Any]:
    """The same of images that have been read already; as ``find_duplicates`` leaves them."""
    return {"trained": _packed(trained), "held_out": _packed(held_out)}


def _packed(prints: Prints) -> dict[str, Any]:
    rows = np.column_stack([prints.content, prints.perceptual_hash])[prints.readable]
    kept = np.argsort(rows[:, 0], kind="stable")[:MOST]
    text = base64.b64encode(rows[kept].astype("<u8").tobytes()).decode()
    return {"count": len(rows), "prints": text}


def records(steps: Steps) -> tuple[TrainingRecord, ...]:
    """The records in the steps of a checkpoint or a card; what cannot be read is none."""
    found = []
    for step in steps:
        try:
            images = step["data"]["images"]
            sides = [(_unpacked(images[key]["prints"]), int(images[key]["count"])) for key in _KEYS]
        except (KeyError, TypeError, ValueError):
            continue
        complete = all(len(prints) >= count for prints, count in sides)
        found.append(TrainingRecord(sides[0][0], sides[1][0], complete))
    return tuple(found)


_KEYS = ("trained", "held_out")


def _unpacked(text: str) -> Prints:
    rows = np.frombuffer(base64.b64decode(text, validate=True), "<u8").astype(np.uint64)
    rows = rows.reshape(-1, _WORDS)
    return Prints(rows[:, 0], np.ascontiguousarray(rows[:, 1:]), np.ones(len(rows), np.bool_))


def learned_from(prints: Prints, known: Sequence[TrainingRecord]) -> NDArray[np.bool_]:
    """For each image whether one of the trainings learned from it."""
    return _recognize(prints, known)[0]


def trained_on(dataset: Dataset, steps: Steps) -> NDArray[np.bool_] | None:
    """For each image whether it was learned from; None where none was."""
    known = records(steps)
    if not known or not len(dataset):
        return None
    trained = learned_from(prints_of([s.path for s in dataset.samples]), known)
    return trained if trained.any() else None


def seen_in_training(dataset: Dataset, steps: Steps) -> SeenInTraining | None:
    """Which images of a data set ``leave_out_trained`` leaves out, and why; None where nothing is
    recorded.

    Raises:
        DataError: an image is not there.
    """
    known = records(steps)
    if not known:
        return None
    paths = [sample.path for sample in dataset.samples]
    prints = prints_of(paths)
    exact = np.zeros(len(prints), np.bool_)
    for one in known:
        exact |= find_copies(prints, one.trained) >= 0
    near = learned_from(prints, known) & ~exact
    return SeenInTraining(
        *(tuple(paths[index] for index in np.flatnonzero(which)) for which in (exact, near))
    )


def leave_out_trained(
    dataset: Dataset,
    steps: Iterable[Mapping[str, Any]],
    models: Mapping[str, Steps] | None = None,
    *,
    stage: StartStage = no_progress,
) -> EvaluationSet:
    """Leave out of a data set what models were trained on, near-duplicates too.

    Args:
        steps: of all models that are evaluated; those without a record say nothing.
        models: the steps of each by its name, to say so where they learned from different images.
        stage: started where images are read.

    Raises:
        DataError: an image is not there.
    """
    known, images = records(list(steps)), len(dataset)
    if not known or not images:
        return EvaluationSet(dataset, images, recorded=bool(known))
    advance = stage("looking for images it was trained on", images)
    prints = prints_of([s.path for s in dataset.samples], advance)
    trained, held, unknown = _recognize(prints, known)
    usable = ~trained & ~unknown
    readable = usable & prints.readable  # the others stay, and evaluation names them
    unseen = int((readable & ~held).sum())
    if not trained.any():
        return EvaluationSet(dataset, images, held_out=int(held.sum()), unseen=unseen)
    chosen = EvaluationSet(
        dataset,
        images,
        trained=int(trained.sum()),
        held_out=int(held.sum()),
        unseen=unseen,
        unknown=int(unknown.sum()),
        is_evidence=bool(readable.any()),
    )
    part = chosen.trained < images
    what = f"{chosen.trained} of {images} images" if part else f"all {counted(images, 'image')}"
    what = f"{what} of {dataset.source} (or on near-duplicates of them)"
    said, its = _who_trained(what, _trained_by_model(prints, models or {}))
    if not chosen.is_evidence:
        line = (
            f"no evidence: {said}, so {its[0]} answers to them prove nothing; give images that "
            f"{its[1]} seen"
        )
        return replace(chosen, line=line)
    pairs = zip(dataset.samples, usable, strict=True)
    left = int(readable.sum())
    line = f"{said}: evaluated on {left}, "
    if its != _ONE:
        line += "which none of them learned from"
    elif chosen.held_out == left:
        line += "which its training held out"
    elif chosen.held_out:
        line += f"{chosen.held_out} that its training held out and {chosen.unseen} it never saw"
    else:
        line += "which it never saw"
    return replace(
        chosen,
        dataset=replace(dataset, samples=tuple(sample for sample, stays in pairs if stays)),
        line=line,
    )


_ONE, _SEVERAL = ("its", "it has not"), ("their", "none of them has")


def _trained_by_model(prints: Prints, models: Mapping[str, Steps]) -> dict[str, int]:
    """How many of the images each model with a record learned from; empty where all learned from
    the same."""
    known = {name: records(steps) for name, steps in models.items()}
    learned = {name: learned_from(prints, record) for name, record in known.items() if record}
    if len({flags.tobytes() for flags in learned.values()}) < 2:
        return {}
    return {name: int(flags.sum()) for name, flags in learned.items()}


def _who_trained(what: str, counts: Mapping[str, int]) -> tuple[str, tuple[str, str]]:
    """Which network learned from which images, and the words to go on with."""
    if not counts:
        return f"the network was trained on {what}", _ONE
    each = ", ".join(f"{name} on {count or 'none'}" for name, count in counts.items())
    return f"the networks were trained on different images, together on {what}: {each}", _SEVERAL


def _recognize(
    prints: Prints, known: Sequence[TrainingRecord]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """For each image whether it was learned from, held out, or cannot be told.

    An exact copy of a held-out image was held out, even where it resembles one learned from.
    """
    trained, held, unknown = (np.zeros(len(prints), np.bool_) for _ in range(3))
    for one in known:
        learned = find_copies(prints, one.trained) >= 0
        kept = find_copies(prints, one.held_out) >= 0
        learned |= (find(prints, one.trained) >= 0) & ~kept
        kept = (kept | (find(prints, one.held_out) >= 0)) & ~learned
        if learned.any() and not one.complete:
            unknown |= ~learned & ~kept
        trained |= learned
        held |= kept
    return trained, held & ~trained, unknown & ~trained & ~held
