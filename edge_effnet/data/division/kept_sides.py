"""Dividing again, with more images: those that an earlier run used stay on their side.

What was learned from is learned from again, what was held out is evaluated on again, whatever the
folder it lies in now. A new image goes to the side of the used ones that show the same thing
(near-duplicates, frames of one press of a button); one that resembles images of both sides is left
out, because on either side it would make the figures flatter the network. The rest is divided by
the rule of ``split.divide``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.near_duplicates import find, find_copies, find_duplicates
from edge_effnet.data.division.prints import Prints, prints_of
from edge_effnet.data.division.roles import Roles, refuse_same_source
from edge_effnet.data.division.split import Division, chosen, classes_alike, seeded_rest
from edge_effnet.data.division.trained_on import TrainingRecord
from edge_effnet.errors import DataError
from edge_effnet.plurals import counted, plural
from edge_effnet.stages import Advance

Which = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Sides:
    """What is known of images, (images,) each.

    Attributes:
        learned, held_out: copies of what the earlier run used.
        resting, evaluated: images that show the same thing as such ones, these included.
    """

    learned: Which
    held_out: Which
    resting: Which
    evaluated: Which

    @property
    def new(self) -> Which:
        return ~self.learned & ~self.held_out

    @property
    def fresh(self) -> Which:
        """Images that resemble none."""
        return ~self.resting & ~self.evaluated

    @property
    def on_both(self) -> Which:
        """New images that resemble images of both sides."""
        return self.new & self.resting & self.evaluated

    @property
    def joining(self) -> Which:
        """New images that resemble images that were learned from, and none that was held out."""
        return self.new & self.resting & ~self.evaluated


def divide_again(
    dataset: Dataset,
    validation: Dataset | None,
    known: Sequence[TrainingRecord],
    *,
    run: str,
    share: float,
    seed: int,
    advance: Advance | None = None,
) -> Roles:
    """Decide which images are learned from and which are evaluated on, after an earlier run.

    Args:
        validation: new images to evaluate on, with the labels of ``dataset``; None holds ``share``
            of the new ones of each class out.
        known: what the earlier run and those before it used, the run's own last; complete.
        run: its name, for people.

    Raises:
        DataError: an image is not there, both sources are one, or a side is left without images.
    """
    everything, given = dataset, np.zeros(len(dataset), np.bool_)
    if validation is not None:
        refuse_same_source(dataset, validation)
        everything = replace(dataset, samples=dataset.samples + validation.samples)
        given = np.arange(len(everything)) >= len(dataset)
    duplicates = find_duplicates(everything, advance)
    # As they look: duplicates.prints tells the images of some classes apart by their bytes alone.
    prints = prints_of([sample.path for sample in everything.samples])
    sides = _sides_of(prints, duplicates.group, known)
    if validation is None:
        fresh = sides.fresh & prints.readable  # the others are evaluated on, which names them
        resting = seeded_rest(duplicates, fresh, share, seed) & fresh
        shared = np.zeros(len(given), np.bool_)
    else:
        resting = sides.fresh & ~given
        fresh = sides.fresh & given & np.isin(duplicates.group, duplicates.group[resting])
        shared = fresh | ((sides.learned | sides.joining) & given)
    learning = ((sides.learned | sides.joining) & ~given) | resting
    evaluating = ~learning & ~sides.on_both & ~shared
    training, evaluation = chosen(everything, learning), chosen(everything, evaluating)
    if validation is not None:
        both = bool((evaluating & ~given).any())
        named = f"{dataset.source} and {validation.source}" if both else validation.source
        evaluation = replace(evaluation, source=named)
    _refuse_none(training, evaluation, run)
    learned = _uses(prints, known, learning, "trained")
    validated = _uses(prints, known, evaluating, "held_out")
    notices = [_first_notice(sides, learned, validated, run), *_left_out(sides, shared)]
    notices += _missing(known[-1], prints, run, dataset.source) if known else []
    notices += Division(training, evaluation, classes_alike(everything, duplicates)).notices
    return Roles(training, evaluation, tuple(notices))


def _sides_of(prints: Prints, group: NDArray[np.int64], known: Sequence[TrainingRecord]) -> _Sides:
    """An image that any of the runs learned from was learned from."""
    learned, held, near_learned, near_held = (np.zeros(len(prints), np.bool_) for _ in range(4))
    for one in known:
        learned |= find_copies(prints, one.trained) >= 0
        held |= find_copies(prints, one.held_out) >= 0
        near_learned |= find(prints, one.trained) >= 0
        near_held |= find(prints, one.held_out) >= 0
    held &= ~learned
    new = ~learned & ~held
    resting = np.isin(group, group[learned | (new & near_learned)])
    evaluated = np.isin(group, group[held | (new & near_held)])
    return _Sides(learned, held, resting, evaluated)


def _refuse_none(training: Dataset, evaluation: Dataset, run: str) -> None:
    for side, what, fix in (
        (training, "learn from", "add images"),
        (evaluation, "validate on", "put back those that it was validated on, or give --val"),
    ):
        if not len(side):
            raise DataError(
                f"no image of {training.source} is left to {what}",
                found=f"what {run} used, and what resembles that, stays on its side",
                expected="images for both sides",
                fix=fix,
            )


@dataclass(frozen=True)
class _Uses:
    """How many images a side has that can be read: the others are skipped.

    Attributes:
        again: those that the earlier run had on this side, each as often as it had them.
        new: others; further copies of the same images too.
    """

    again: int
    new: int


def _uses(
    prints: Prints,
    known: Sequence[TrainingRecord],
    which: Which,
    side: Literal["trained", "held_out"],
) -> _Uses:
    here = Counter(prints.content[which & prints.readable].tolist())
    before = Counter[int]()
    for one in known:
        before |= Counter(getattr(one, side).content.tolist())  # of several runs the most
    again = (here & before).total()
    return _Uses(again, here.total() - again)


def _first_notice(sides: _Sides, learned: _Uses, validated: _Uses, run: str) -> str:
    if sides.new.all():
        return (
            f"{run} used none of these images: {learned.new} to learn from, {validated.new} to "
            "validate on"
        )
    return (
        f"{counted(learned.again, 'image')} that {run} learned from "
        f"{plural(learned.again, 'is', 'are')} learned from again, {validated.again} that it held "
        f"out {plural(validated.again, 'is', 'are')} validated on again; new: {learned.new} to "
        f"learn from, {validated.new} to validate on"
    )


def _left_out(sides: _Sides, shared: Which) -> list[str]:
    lines = []
    if count := int(sides.on_both.sum()):
        lines.append(
            f"{count} new {plural(count, 'image was', 'images were')} left out: near-duplicates, "
            "or frames of one press, of what it learned from and of what it held out"
        )
    if count := int(shared.sum()):
        lines.append(
            f"{count} validation {plural(count, 'image was', 'images were')} left out: in the "
            "training data too"
        )
    return lines


def _missing(last: TrainingRecord, prints: Prints, run: str, source: str) -> list[str]:
    """What the run used and is not there any more."""
    learned, held = (int((find(side, prints) < 0).sum()) for side in (last.trained, last.held_out))
    if not learned and not held:
        return []
    return [
        f"not in {source} any more: {learned} of {counted(len(last.trained), 'image')} that {run} "
        f"learned from, {held} of {len(last.held_out)} that it held out"
    ]
