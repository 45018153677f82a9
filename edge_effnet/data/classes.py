"""Which class a name means: the one reading that every command shares.

A name is looked for among the labels of the model. Where the model has none (or only running
numbers, which name nothing), the names themselves are the labels, in the order of Keras:
folder names sorted as text, so that 10 stands before 2; numbers in a CSV sorted as numbers.
Where two readings of numbers differ, the user is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_effnet.data.labels import listed, match_label
from edge_effnet.errors import DataError
from edge_effnet.heads.head import numbers
from edge_effnet.plurals import counted

Name = str | int


@dataclass(frozen=True)
class Reading:
    """Labels in index order, the index of each name among them, and a note for the user."""

    labels: tuple[str, ...]
    indices: dict[Name, int]
    note: str | None = None


def read_classes(
    names: Collection[Name],
    source: Path,
    *,
    labels: Sequence[str] | None,
    classes: int | None,
    in_folders: bool,
    order: Sequence[str] | None = None,
    labels_from: str | None = None,
) -> Reading:
    """Read the class names of a data set.

    Args:
        names: all that occur; a number is a class index.
        labels: names in index order, as the model or the user states them.
        classes: width of the network's output, where that is known.
        in_folders: whether the names are those of folders.
        order: of the names, where the data set states one.
        labels_from: the file that the labels are from, where nobody named it.

    Returns:
        Where nobody named the network's classes, the sorted names of the data are taken for them,
        as Keras and PyTorch sort them; the note says so.

    Raises:
        DataError: a name that the labels lack or that fits two, another number of classes than
            the network's, or numbers that can be read in two ways.
    """
    if labels is not None:
        return _among(names, source, tuple(labels), in_folders=in_folders, labels_from=labels_from)
    if all(isinstance(name, int) for name in names) and order is None:
        count = classes or max((int(name) for name in names), default=-1) + 1
        return _among(names, source, numbers(count), in_folders=in_folders)
    texts = list(order) if order is not None else _sorted(map(str, names), in_folders)
    by_place = {text: place for place, text in enumerate(texts)}
    places = {name: by_place[str(name)] for name in names}
    if classes is None:
        return Reading(tuple(texts), places)
    numbered = all(map(str.isdecimal, texts))
    by_number = numbered and all(int(text) < classes for text in texts)
    if by_number and not in_folders:
        return Reading(numbers(classes), {name: int(name) for name in names})
    if len(texts) != classes:
        fix = "name the network's classes with --labels FILE, one per line in index order"
        raise DataError(
            f"the classes of {source} are not the network's",
            found=f"{counted(len(texts), 'class', 'classes')}: {listed(texts)}",
            expected=f"{classes}, the width of its output",
            fix=fix + (", or --labels numbers if each number is an index" if by_number else ""),
        )
    first = min(map(int, texts)) if numbered else 0
    indices = [int(text) - first for text in texts] if numbered else []
    if in_folders and first <= 1 and sorted(indices) == list(range(classes)) != indices:
        place = next(place for place, index in enumerate(indices) if index != place)
        raise DataError(
            f"the class folders of {source} can be read in two ways, and the model does not say "
            "which",
            found=f"folder {texts[place]!r} is class {place} as Keras sorts the names "
            f"({', '.join(texts[: place + 1])} …), and class {indices[place]} by its number",
            fix="add --labels folders for the order of Keras, or "
            + ("--labels FILE with a line for each, 1 first" if first else "--labels numbers"),
        )
    if by_number and in_folders:
        return Reading(tuple(texts), places)  # both readings are the same
    note = (
        f"no labels given: the network's classes are taken to be those of {source}, in the order "
        f"{listed(texts)}; --labels FILE says otherwise"
    )
    return Reading(tuple(texts), places, note)


def _sorted(names: Collection[str] | map[str], in_folders: bool) -> list[str]:
    names = list(names)
    if not in_folders and all(map(str.isdecimal, names)):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def _among(
    names: Collection[Name],
    source: Path,
    labels: tuple[str, ...],
    *,
    in_folders: bool,
    labels_from: str | None = None,
) -> Reading:
    found = _numbers_among(names, labels, in_folders=in_folders)
    if found is None:
        found = {name: match_label(name, labels) for name in names}
    unknown = sorted(str(name) for name, index in found.items() if index is None)
    if (
        unknown
        and len(unknown) == len(names)
        and in_folders
        and not all(map(str.isdecimal, unknown))
    ):
        raise DataError(
            f"the labels{f' in {labels_from}' if labels_from else ''} are of another model than "
            f"{source} is for: none of its folders is among them",
            found=listed(unknown),
            expected=f"one of {counted(len(labels), 'label')}: {listed(labels)}",
            fix="give the model's own list with --labels FILE, or --labels folders if its order is "
            "the alphabetical order of the folders",
        )
    if unknown:
        are_indices = all(text.isdecimal() and int(text) < len(labels) for text in map(str, names))
        raise DataError(
            f"{source} has classes that the labels do not have",
            found=f"{', '.join(map(repr, unknown[:3]))}" + (" …" if len(unknown) > 3 else ""),
            expected=f"one of {counted(len(labels), 'label')}: {', '.join(labels[:3])} …",
            fix="rename the folders, correct the CSV, or give the right list with --labels"
            + (", or --labels numbers if each number is an index" if are_indices else ""),
        )
    return Reading(labels, {name: place for name, place in found.items() if place is not None})


def _numbers_among(
    names: Collection[Name], labels: tuple[str, ...], *, in_folders: bool
) -> dict[Name, int | None] | None:
    """Numbers in the place of names, as indices: where the labels are numbers themselves, or
    no label is one. Of folders only where Keras sorts them as their numbers too."""
    texts = [name for name in names if isinstance(name, str)]
    if not texts or not all(map(str.isdecimal, texts)):
        return None
    indices: dict[Name, int | None] = {name: int(name) for name in names}
    if labels == numbers(len(labels)):
        return {name: place if int(name) < len(labels) else None for name, place in indices.items()}
    if any(match_label(text, labels) is not None for text in texts):
        return None
    if max(map(int, texts)) >= len(labels):
        return None
    agree = len(texts) == len(labels) and [int(text) for text in sorted(texts)] == list(
        range(len(labels))
    )
    return indices if agree or not in_folders else None
