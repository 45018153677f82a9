"""Dividing a data set into an evaluation set and the rest, and what is wrong with the former.

``divide`` is the algorithm of every division: ``roles`` applies it to training, and
``converters.calibration.images`` to conversion. Each class keeps its share of images
for evaluation, and one image (see ``near_duplicates``) never stands on both sides.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.near_duplicates import (
    DuplicateGroups,
    find,
    find_duplicates,
    strata_of,
)
from edge_effnet.data.division.prints import prints_of
from edge_effnet.heads.kinds import NO_LABEL
from edge_effnet.plurals import counted, plural
from edge_effnet.stages import Advance

IMBALANCE_RATIO = 5.0


@dataclass(frozen=True)
class Division:
    """The two sides of a data set.

    Attributes:
        rest: what calibrates, chooses or is learned.
        evaluation: the evaluation set; unreadable images are there too, so that they are named.
        alike: classes most of whose images look the same, and were divided one by one.
    """

    rest: Dataset
    evaluation: Dataset
    alike: tuple[str, ...] = ()

    @property
    def notices(self) -> list[str]:
        """What the user should know."""
        if not self.alike:
            return []
        return [
            f"most images of {names(self.alike)} in {self.rest.source} look the same (one burst, "
            "or a camera that stands still): such images stand on both sides, so the figures "
            "flatter the network"
        ]


def divide(
    dataset: Dataset,
    evaluation_share: float,
    seed: int,
    *,
    barred: NDArray[np.bool_] | None = None,
    advance: Advance | None = None,
) -> Division:
    """Divide a data set per class, the same for the same seed wherever it lies.

    Each class keeps at least ``evaluation_share`` of its readable images for evaluation; with two
    or more different images, one at least on each side; a single one goes there at a share of half
    or more. Near-duplicates fall on one side. Of several labels an image counts for its rarest.

    Args:
        barred: (images,), those that must not be evaluated on: they stand in the rest, and the
            others are divided so that they make up ``evaluation_share`` of all, as far as they go.

    Raises:
        DataError: an image is not there.
    """
    duplicates = find_duplicates(dataset, advance)
    readable = duplicates.prints.readable
    free = readable if barred is None else readable & ~barred
    if barred is not None and free.any():
        evaluation_share = min(1.0, evaluation_share * readable.sum() / free.sum())
    resting = seeded_rest(duplicates, free, evaluation_share, seed) & readable
    if barred is not None:
        resting |= barred
    return Division(
        chosen(dataset, resting), chosen(dataset, ~resting), classes_alike(dataset, duplicates)
    )


def seeded_rest(
    duplicates: DuplicateGroups, free: NDArray[np.bool_], evaluation_share: float, seed: int
) -> NDArray[np.bool_]:
    """Which images are the rest where ``free`` ones are divided, (images,): whole groups, others
    of a group too."""
    home: dict[int, int | None] = {}  # a group of two classes counts for the first
    size: Counter[int] = Counter()
    order: dict[int, int] = {}
    for index in np.flatnonzero(free):
        number, content = int(duplicates.group[index]), int(duplicates.prints.content[index])
        home.setdefault(number, duplicates.strata[index])
        size[number] += 1
        order[number] = min(order.get(number, content), content)
    members: dict[int | None, list[int]] = defaultdict(list)
    for number in sorted(home, key=lambda number: order[number]):
        members[home[number]].append(number)
    rest: set[int] = set()
    for stratum, numbers in members.items():
        random.Random(f"{seed}:{stratum}").shuffle(numbers)  # noqa: S311 (not cryptography)
        rest |= _rest_of(numbers, size, evaluation_share)
    return np.array([int(number) in rest for number in duplicates.group], np.bool_)


def classes_alike(dataset: Dataset, duplicates: DuplicateGroups) -> tuple[str, ...]:
    """The classes most of whose images look the same."""
    alike = {duplicates.strata[index] for index in np.flatnonzero(duplicates.alike)}
    return tuple(name for label, name in enumerate(dataset.labels) if label in alike)


def _rest_of(numbers: list[int], size: Counter[int], evaluation_share: float) -> set[int]:
    """The groups of one class, in seeded order, that are the rest; the last ones first."""
    if evaluation_share >= 1:
        return set()
    if len(numbers) == 1:
        return set() if evaluation_share >= 0.5 else set(numbers)
    sizes = [size[number] for number in numbers]
    room = max(sum(sizes) - max(1, int(sum(sizes) * evaluation_share + 0.5)), min(sizes))
    rest: set[int] = set()
    for number in reversed(numbers):
        if size[number] <= room:
            room -= size[number]
            rest.add(number)
    return rest


def chosen(dataset: Dataset, which: NDArray[np.bool_]) -> Dataset:
    """Some images of a data set."""
    pairs = zip(dataset.samples, which, strict=True)
    return replace(dataset, samples=tuple(sample for sample, kept in pairs if kept))


def leakage(first: Dataset, second: Dataset) -> list[tuple[Path, Path]]:
    """The pairs of images of two data sets that are one image, exact copies and near ones.

    Each image of the second is named once. Where most images of a class of the first look the
    same, exact copies alone are found there.
    """
    index = find(
        prints_of([sample.path for sample in second.samples]), find_duplicates(first).prints
    )
    return [
        (first.samples[one].path, second.samples[other].path)
        for other, one in enumerate(index)
        if one >= 0
    ]


def without(dataset: Dataset, other: Dataset) -> Dataset:
    """The images of a data set that are none of another's."""
    shared = {path for _, path in leakage(other, dataset)}
    return replace(dataset, samples=tuple(s for s in dataset.samples if s.path not in shared))


def balanced_sample(dataset: Dataset, count: int, seed: int) -> Dataset:
    """Pick ``count`` images, round-robin over the classes in a seeded order."""
    queues: dict[int | None, list[Sample]] = defaultdict(list)
    pairs = zip(dataset.samples, strata_of(dataset.samples), strict=True)
    for sample, stratum in sorted(pairs, key=lambda pair: str(pair[0].path)):
        queues[stratum].append(sample)
    order = random.Random(seed)  # noqa: S311 (not cryptography)
    for queue in queues.values():
        order.shuffle(queue)
    turns = sorted(queues, key=lambda value: -1 if value is None else value)
    order.shuffle(turns)
    picked: list[Sample] = []
    while len(picked) < min(count, len(dataset)):
        for label in turns:
            if queues[label] and len(picked) < count:
                picked.append(queues[label].pop())
    return replace(dataset, samples=tuple(picked))


def images_per_class(dataset: Dataset) -> dict[str, int]:
    """Images of each class or label that has any, in the order of the labels; an image of
    several labels counts for each."""
    counts = Counter(
        label
        for sample in dataset.samples
        for label in (sample.labels if sample.labels is not None else (sample.label,))
    )
    return {name: counts[i] for i, name in enumerate(dataset.labels) if counts[i]}


def classes_not_shown(evaluation: Dataset, given: Dataset) -> list[str]:
    """The classes of a data set that no image of the evaluation set shows."""
    shown = images_per_class(evaluation)
    return [name for name in images_per_class(given) if name not in shown]


def one_answer(dataset: Dataset) -> str | None:
    """The class, or the set of labels, of all images alike, in words; None where they differ, or
    where nothing says what is true of them."""
    first, *others = dataset.samples
    told = first.label is not None or first.labels is not None
    if not told or any(sample.stratum != first.stratum for sample in others):
        return None
    return names([dataset.labels[index] for index in first.stratum]) or NO_LABEL


def evaluation_warnings(evaluation: Dataset, given: Dataset) -> list[str]:
    """What is wrong with an evaluation set, in sentences; ``given`` is all that there was."""
    lacking = classes_not_shown(evaluation, given)
    lines = []
    if same := one_answer(evaluation):
        what = (
            f"{plural(len(evaluation), 'has', 'have')} the same labels"
            if evaluation.samples[0].labels is not None
            else f"{plural(len(evaluation), 'is', 'are')} of one class"
        )
        lines.append(
            f"all {counted(len(evaluation), 'image')} to evaluate on in {evaluation.source} "
            f"{what}, {same}: any accuracy on them is meaningless"
        )
    values = {sample.value for sample in evaluation.samples}
    if len(values) == 1 and None not in values:
        same_value = (
            f"the only image to evaluate on in {evaluation.source} has"
            if len(evaluation) == 1
            else f"all {len(evaluation)} images to evaluate on in {evaluation.source} have"
        )
        lines.append(
            f"{same_value} the value {values.pop():g}: whether the answers follow what the "
            "images show cannot be told"
        )
    if lacking:
        lines.append(
            f"no image of {names(lacking)} in {evaluation.source} to evaluate on: nothing is known "
            f"about {'it' if len(lacking) == 1 else 'them'}"
        )
    return [*lines, *(line for line in (imbalance_warning(evaluation),) if line)]


def imbalance_warning(dataset: Dataset) -> str | None:
    """A line when the largest class has over five times the images of the smallest."""
    counts = dataset.class_counts
    if not counts:
        return None
    small, large = min(counts, key=lambda k: counts[k]), max(counts, key=lambda k: counts[k])
    if counts[large] <= IMBALANCE_RATIO * counts[small]:
        return None
    return (
        f"{dataset.source} is unbalanced: {counted(counts[large], 'image')} of {large!r}, "
        f"{counts[small]} of {small!r}; overall accuracy mostly reflects the large classes"
    )


def names(classes: list[str] | tuple[str, ...]) -> str:
    """The first three, and how many more."""
    more = f" and {len(classes) - 3} more" if len(classes) > 3 else ""
    return ", ".join(map(repr, classes[:3])) + more
