"""Whether a training run has enough images of every class."""

from __future__ import annotations

from pathlib import Path

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import names
from edge_effnet.data.folders import list_folder
from edge_effnet.errors import DataError
from edge_effnet.plurals import counted

FEWEST_TO_LEARN = 4
"""Images of each class, after a share was held out."""


def refuse_empty_folders(source: Path) -> None:
    """A class folder without images is a mistake in the data, not a class to leave out.

    Raises:
        DataError: there are such folders.
    """
    empty = list_folder(source).empty if source.is_dir() else []
    if empty:
        raise DataError(
            f"{source} has class folders without images",
            found=names(empty),
            expected=f"at least {FEWEST_TO_LEARN + 1} images in each",
            fix="add images, or remove the folder",
        )


def refuse_few(dataset: Dataset, val_share: float | None) -> None:
    """Before anything is divided: every class needs some images to learn from, and one more to
    validate on.

    Args:
        val_share: of each class that will be held out; None where validation is from elsewhere.

    Raises:
        DataError: too few of a class.
    """
    needed = FEWEST_TO_LEARN
    if val_share is not None:
        # divide() holds out so many of n different images.
        while needed - max(1, int(needed * val_share + 0.5)) < FEWEST_TO_LEARN:
            needed += 1
    if few := _classes_below(needed, dataset):
        raise DataError(
            f"{dataset.source} has too few images",
            found=few,
            expected=f"at least {needed} readable ones per class ({FEWEST_TO_LEARN} to learn "
            "from, the rest to validate); 50 or more give useful accuracy",
            fix="add images, or remove the class",
        )


def refuse_few_to_learn(training: Dataset, previous: str | None) -> None:
    """The same of the images that are left to learn from, once they are divided, and once they are
    read.

    Args:
        previous: the run that this one goes on from.

    Raises:
        DataError: fewer than ``FEWEST_TO_LEARN`` of a class.
    """
    if not (few := _classes_below(FEWEST_TO_LEARN, training)):
        return
    expected = (
        f"at least {FEWEST_TO_LEARN} readable ones per class; near-duplicates, and frames of one "
        "press, stay on one side"
    )
    fix = "add images of other moments, or remove the class"
    if previous is not None:
        expected += f", and what {previous} held out stays held out"
        fix = f"add images of other moments, or put back those that {previous} learned from"
    raise DataError(
        f"{training.source} has too few images to learn from",
        found=few,
        expected=expected,
        fix=fix,
    )


def _classes_below(fewest: int, dataset: Dataset) -> str:
    """The classes with fewer images, and how many; empty where there is none."""
    counts = dataset.class_counts
    few = [name for name in dataset.labels if counts.get(name, 0) < fewest]
    shown = ", ".join(f"{counts.get(name, 0)} of {name!r}" for name in few[:3])
    return shown + (
        f" and {counted(len(few) - 3, 'class', 'classes')} more" if len(few) > 3 else ""
    )
