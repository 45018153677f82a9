"""Images that are nearly the same, shown once: neighbouring frames of a camera, copies, bursts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from edge_effnet.data.division.bursts import join_bursts
from edge_effnet.data.division.near_duplicates import groups
from edge_effnet.data.division.prints import prints_of
from edge_effnet.errors import DataError

COMPARED = 2000
"""Images that are compared with each other at most; each is read once."""

_Item = TypeVar("_Item")


def once_each(
    items: Iterable[_Item],
    file: Callable[[_Item], str],
    alike: Callable[[_Item], Hashable],
    *,
    frames: bool = False,
) -> list[tuple[_Item, int]]:
    """The first of items whose images are nearly the same, and how many of them there are.

    Args:
        file: the image of an item. One that is not there resembles none.
        alike: what must be equal besides: two answers to nearly the same image are two items.
        frames: whether they are frames of a camera, of which those that were not kept are one where
            they are alike: their names tell nothing.

    Returns:
        In the order of ``items``. Beyond ``COMPARED`` each item is one of its own.
    """
    items = list(items)
    number = _numbers([Path(file(item)) for item in items[:COMPARED]])
    counts: dict[Hashable, int] = {}
    first: dict[Hashable, _Item] = {}
    for index, item in enumerate(items):
        group = number.get(index)
        alone: Hashable = ("not kept", alike(item)) if frames else ("alone", index)
        key: Hashable = alone if group is None else (group, alike(item))
        counts[key] = counts.get(key, 0) + 1
        first.setdefault(key, item)
    return [(item, counts[key]) for key, item in first.items()]


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # no name that a file could have, or a closed folder
        return False


def _numbers(files: Sequence[Path]) -> dict[int, int]:
    """The number of the group of each image that is there, by its index."""
    there = [index for index, file in enumerate(files) if _is_there(file)]
    paths = [files[index] for index in there]
    if not paths:
        return {}
    try:
        found = join_bursts(groups(prints_of(paths)), paths)
    except DataError:  # one has gone meanwhile
        return {}
    return dict(zip(there, map(int, found), strict=True))
