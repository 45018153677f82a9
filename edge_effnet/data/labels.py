"""Class names: the ImageNet list, label files, and matching one spelling with another."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from edge_effnet.errors import DataError


@dataclass(frozen=True)
class ImageNetClass:
    """One of the 1000: its WordNet id, its unique short name, and all its names."""

    wnid: str
    name: str
    synonyms: tuple[str, ...]


@cache
def imagenet_classes() -> tuple[ImageNetClass, ...]:
    """The 1000 ImageNet classes in index order (names: WordNet, see NOTICE)."""
    table = resources.files("edge_effnet") / "assets" / "imagenet_classes.csv"
    with table.open(encoding="utf-8") as lines:
        return tuple(
            ImageNetClass(row["wnid"], row["name"], tuple(row["synonyms"].split("|")))
            for row in csv.DictReader(lines)
        )


def imagenet_labels() -> tuple[str, ...]:
    """The 1000 ImageNet class names in index order; each is unique."""
    return tuple(row.name for row in imagenet_classes())


def read_labels(path: Path) -> tuple[str, ...]:
    """Read a label file: one class name per line, in index order.

    Raises:
        DataError: unreadable, empty, or a blank line in the middle.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read as a label file",
            found=str(error),
            expected="one class name per line",
            fix="check the path",
        ) from error
    return parse_labels(text, str(path))


def parse_labels(text: str, name: str) -> tuple[str, ...]:
    """Split a label file's text; trailing blank lines are dropped."""
    labels = tuple(line.strip() for line in text.rstrip().splitlines())
    blank = next((number for number, label in enumerate(labels, 1) if not label), None)
    if not labels or blank is not None:
        raise DataError(
            f"{name} is not a label file",
            found="no lines" if not labels else f"line {blank} is blank",
            expected="one class name per line, in index order",
            fix="correct the file",
        )
    return labels


def match_label(name: str | int, labels: Sequence[str]) -> int | None:
    """Find a class in a label list.

    A number is an index. A name matches a label of the same letters, whatever the case and
    whether blanks are written ``_``, ``-`` or `` ``; else one of a label's comma-separated
    synonyms; else, where the labels are ImageNet's, its WordNet id (``n01440764``) or names.
    The same spelling goes before all of these: ``Red`` and ``red`` can be two classes.
    """
    if isinstance(name, int):
        return name if 0 <= name < len(labels) else None
    table = _lookup(tuple(labels))
    return table.get(name, table.get(_plain(name)))


@cache
def _lookup(labels: tuple[str, ...]) -> dict[str, int]:
    table: dict[str, int] = {}
    for index, label in enumerate(labels):
        table.setdefault(label, index)
    for index, label in enumerate(labels):
        table.setdefault(_plain(label), index)
    for index, label in enumerate(labels):
        for synonym in label.split(","):
            table.setdefault(_plain(synonym), index)
    if len(labels) == len(imagenet_classes()):
        ours = [_plain(name.split(",")[0]) for name in labels]
        theirs = [_plain(row.name) for row in imagenet_classes()]
        # Other ImageNet lists spell some names otherwise; most of them agree.
        if sum(map(str.__eq__, ours, theirs)) > len(ours) // 2:
            for index, row in enumerate(imagenet_classes()):
                for name in (row.wnid, *row.synonyms):
                    table.setdefault(_plain(name), index)
    return table


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())
