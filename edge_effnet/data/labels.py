"""Class names: the ImageNet list, label files, and matching one spelling with another."""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from edge_effnet.errors import DataError, ModelError
from edge_effnet.files.limits import TEXT_BYTES
from edge_effnet.files.read import read_bytes


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


def read_text(path: Path, kind: str) -> str:
    """Read a text file as UTF-8, or as UTF-16 where it begins with that byte order mark.

    Args:
        kind: what the file should be, for the error.

    Raises:
        DataError: it cannot be read, or is encoded otherwise.
    """
    try:
        data = read_bytes(path, TEXT_BYTES)
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except DataError as error:
        raise DataError(
            f"{path} cannot be read as {kind}", found=error.found or error.what, fix=error.fix
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} cannot be read as {kind}", found=str(error), fix="save the file as UTF-8"
        ) from error
    if "\0" in text:
        raise DataError(
            f"{path} cannot be read as {kind}",
            found="zero bytes, as in UTF-16 without its byte order mark",
            fix="save the file as UTF-8",
        )
    return text


def parse_labels(text: str, name: str) -> tuple[str, ...]:
    """Split a label file's text; trailing blank lines and running numbers are dropped."""
    labels = tuple(line.strip() for line in text.rstrip().splitlines())
    blank = next((number for number, label in enumerate(labels, 1) if not label), None)
    if not labels or blank is not None:
        raise DataError(
            f"{name} is not a label file",
            found="no lines" if not labels else f"line {blank} is blank",
            expected="one class name per line, in index order",
            fix="correct the file",
        )
    return without_numbers(labels)


_NUMBERED = re.compile(r"(\d+)(?:\s*(?:[:;\t]|,(?!\d))\s*|[.,)]?\s+)(?=\S)")  # 0,5 is a number


def without_numbers(labels: tuple[str, ...], first: int = 0) -> tuple[str, ...]:
    """``0 blue``, ``1 green`` … without their running numbers, which begin with ``first``.

    Only where every line has its own: ``0 10 Rupees`` is a name behind a number, ``10 Rupees``
    a name. And only where names that differ are left: ``0 Euro``, ``1 Euro`` are names.
    """
    starts = [_NUMBERED.match(label) for label in labels]
    if not all(start and int(start[1]) == index for index, start in enumerate(starts, first)):
        return labels
    names = tuple(
        label[start.end() :] for label, start in zip(labels, starts, strict=True) if start
    )
    return names if len(set(names)) == len(names) else labels


def match_label(name: str | int, labels: Sequence[str]) -> int | None:
    """Find a class in a label list.

    A number is an index. A name matches, the first of these that fits: the same spelling,
    however its accents are composed; the same letters, whatever the case and whether blanks are
    written ``_``, ``-`` or `` ``, with or without a running number before it; one of a label's
    comma-separated synonyms; where the labels are ImageNet's, its WordNet id (``n01440764``) or
    names; the same without blanks (``FreshApple``, ``Fresh Apple``). ``Red`` and ``red`` can be
    two classes.

    Raises:
        DataError: two labels fit equally well.
    """
    if isinstance(name, int):
        return name if 0 <= name < len(labels) else None
    labels = tuple(labels)
    composed = unicodedata.normalize("NFC", name)
    spellings = (name, composed, *[fold(name)] * 3, _joined(name))
    for spelling, table in zip(spellings, _lookup(labels), strict=True):
        indices = table.get(spelling, ())
        if len(indices) > 1:
            raise DataError(
                f"{name!r} can be two classes",
                found=" and ".join(repr(labels[index]) for index in sorted(indices)[:3]),
                expected="the spelling of one of them",
                fix="rename it, or give labels that differ with --labels",
            )
        if indices:
            return min(indices)
    return None


_Table = dict[str, set[int]]


@cache
def _lookup(labels: tuple[str, ...]) -> tuple[_Table, ...]:
    """Spelling to places: as written, composed, folded, by synonym, by ImageNet's names, without
    blanks."""
    tables: tuple[_Table, ...] = tuple(defaultdict(set) for _ in range(6))
    exact, composed, folded, synonyms, imagenet, joined = tables
    bare = without_numbers(without_numbers(labels), 1)
    for index, label in enumerate(labels):
        exact[label].add(index)
        composed[unicodedata.normalize("NFC", label)].add(index)
        for spelling in (label, bare[index], f"{index} {label}"):
            folded[fold(spelling)].add(index)
        joined[_joined(label)].add(index)
        for synonym in label.split(","):
            synonyms[fold(synonym)].add(index)
    if len(labels) == len(imagenet_classes()):
        ours = [fold(name.split(",")[0]) for name in labels]
        theirs = [fold(row.name) for row in imagenet_classes()]
        # Other ImageNet lists spell some names otherwise; most of them agree.
        if sum(map(str.__eq__, ours, theirs)) > len(ours) // 2:
            for index, row in enumerate(imagenet_classes()):
                for name in (row.wnid, *row.synonyms):
                    imagenet[fold(name)].add(index)
    return tables


def fold(name: str) -> str:
    """A spelling without case, and with one kind of blank and of accent."""
    name = unicodedata.normalize("NFC", name).casefold()
    return unicodedata.normalize("NFC", " ".join(re.sub(r"[_-]", " ", name).split()))


def _joined(name: str) -> str:
    """A spelling without case and blanks, but for those between two numbers: ``1-2`` is not 12."""
    return re.sub(r"(?<!\d) | (?!\d)", "", fold(name))


def same_names(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two lists name the same classes in the same order, however they spell them."""
    folded = [fold(name) for name in one]
    unique = len(set(folded)) == len(folded)  # else spelling alone tells Red from red
    return tuple(one) == tuple(other) or (unique and folded == [fold(name) for name in other])


def refuse_reordered(
    given: Sequence[str], own: Sequence[str] | None, model: str, file: str | None = None
) -> None:
    """Refuse a label list that names a model's own labels in another order.

    Args:
        own: what the model carries; None where it carries none.
        file: beside the model, where they are from that.

    Raises:
        ModelError: it does; every answer would get the wrong name.
    """
    if own is None or sorted(map(fold, given)) != sorted(map(fold, own)) or same_names(given, own):
        return
    exact = len(set(map(fold, own))) < len(own)
    first = next(
        index
        for index, (name, real) in enumerate(zip(given, own, strict=True))
        if (name != real if exact else fold(name) != fold(real))
    )
    raise ModelError(
        f"--labels gives the labels of {model} in another order",
        found=f"{given[first]!r} as class {first}",
        expected=f"{own[first]!r}, as {file or 'the model itself'} says",
        fix=f"leave --labels out, or correct {file} where it is wrong"
        if file
        else "leave --labels out: the model carries its labels",
    )


def listed(names: Iterable[str], most: int = 3) -> str:
    """The first names of a list, for people."""
    names = list(names)
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
