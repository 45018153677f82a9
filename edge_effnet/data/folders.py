"""What lies in a folder: images by class folder, parts such as train and val, and the rest.

A file is an image by its content; where that says nothing, by its suffix, and then reading it
will name it. Linked folders are entered, each real folder once. What is left out is counted.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edge_effnet.errors import DataError
from edge_effnet.image.kinds import decodable, kind_of_file, remedy
from edge_effnet.image.reading import IMAGE_SUFFIXES
from edge_effnet.printable import without_surrogates

Part = Literal["evaluation", "training"]

_PARTS: Mapping[str, Part] = {
    **dict.fromkeys(("train", "training"), "training"),
    **dict.fromkeys(("val", "valid", "validation", "test", "testing", "eval", "dev"), "evaluation"),
}
_PART_ENDING = re.compile("[ _-]?(set|data|images)$")
_NO_DATA = {"__macosx", "@eadir", "$recycle.bin", "thumbs.db", "desktop.ini", "icon\r"}
_BESIDE_CLASSES = {".csv", ".tsv", ".txt", ".json"}  # label files, not data that was overlooked
OTHER_FILES = "other files"


@dataclass(frozen=True)
class LeftOut:
    """Files or folders of one kind that are no part of a data set.

    Attributes:
        kind: in the plural: ``HEIC images``.
        first: an example.
        fix: what makes images of them, where something does.
    """

    kind: str
    count: int
    first: Path
    fix: str | None = None

    def line(self) -> str:
        line = f"{self.kind} ({self.count}, first {self.first})"
        return f"{line}: {self.fix}" if self.fix else line

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "count": self.count, "first": str(self.first)}


@dataclass
class _Counter:
    found: dict[str, LeftOut] = field(default_factory=dict)

    def add(self, kind: str, path: Path, fix: str | None = None) -> None:
        known = self.found.get(kind)
        self.found[kind] = LeftOut(
            kind, known.count + 1 if known else 1, known.first if known else path, fix
        )


@dataclass(frozen=True)
class Folder:
    """What ``list_folder`` finds.

    Attributes:
        classes: the images of each class folder, at any depth; empty folders too.
        loose: images in no class folder.
        left_out: what is neither; says of ``loose`` only where there are class folders with
            images, because then they are left out.
    """

    source: Path
    classes: Mapping[str, tuple[Path, ...]]
    loose: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def flat(self) -> bool:
        """Whether there are images, but none in a folder of its class."""
        return bool(self.loose) and not any(self.classes.values())

    @property
    def inner(self) -> Path | None:
        """The only class folder with images, where these lie in folders of its own: those are the
        classes, most likely. Unpacked archives look so."""
        filled = [images for images in self.classes.values() if images]
        if len(filled) != 1:
            return None
        below = [path.relative_to(self.source).parts for path in filled[0]]
        nested = all(len(parts) > 2 for parts in below)
        own = self.source / below[0][0]
        return own if nested and len({parts[1] for parts in below}) > 1 else None

    @property
    def empty(self) -> list[str]:
        """The class folders without images."""
        return [name for name, images in self.classes.items() if not images]


def list_folder(source: Path) -> Folder:
    """List a folder of class folders, or of images.

    Raises:
        DataError: it cannot be listed.
    """
    left = _Counter()
    entries = _entries(source)
    loose: list[Path] = []
    owners: dict[str, Path] = {}
    # A link to a folder around the data set would bring in the whole disk.
    real = source.resolve()
    seen = {real, *real.parents}
    for entry in entries:
        path = source / entry.name
        if not _is_folder(entry, path):
            if path.suffix.lower() not in _BESIDE_CLASSES and _is_image(entry, path, left):
                loose.append(path)
        elif _enter(path, seen, left):
            owners[without_surrogates(entry.name)] = path  # labels are written as UTF-8
    classes = {name: tuple(sorted(_below(owners[name], seen, left))) for name in sorted(owners)}
    if any(classes.values()):
        for path in loose:
            left.add("images outside of the class folders", path)
        for name, images in classes.items():
            if not images:
                left.add("class folders without images", owners[name])
    return Folder(source, classes, tuple(sorted(loose)), tuple(left.found.values()))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Without hidden ones; links last, so that a folder is listed where it really lies.

    Raises:
        DataError: it cannot be listed: without its images, those of the others would seem to be
            all there are.
    """
    try:
        with os.scandir(folder) as entries:
            kept = [
                entry
                for entry in entries
                if not entry.name.startswith(".") and entry.name.lower() not in _NO_DATA
            ]
    except OSError as error:
        raise _not_listed(folder, error) from error
    return sorted(kept, key=lambda entry: (entry.is_symlink(), entry.name))


def _is_folder(entry: os.DirEntry[str], path: Path) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:  # links that lead to each other
            return False
        raise _not_listed(path, error) from error


def _not_listed(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path} cannot be listed",
        found=error.strerror or str(error),
        expected="a folder and images that may be read, so that none is overlooked",
        fix="check its permissions, or move it out of the data",
    )


def _enter(folder: Path, seen: set[Path], left: _Counter) -> bool:
    real = folder.resolve()
    if real in seen:
        left.add("linked folders that lead to a folder listed already", folder)
        return False
    seen.add(real)
    return True


def _below(folder: Path, seen: set[Path], left: _Counter) -> Iterator[Path]:
    for entry in _entries(folder):
        path = folder / entry.name
        if _is_folder(entry, path):
            if _enter(path, seen, left):
                yield from _below(path, seen, left)
        elif _is_image(entry, path, left):
            yield path


def _is_image(entry: os.DirEntry[str], path: Path, left: _Counter) -> bool:
    try:
        regular = stat.S_ISREG(entry.stat().st_mode)  # nothing else is opened: a FIFO would block
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):  # a folder that may not be entered
            raise _not_listed(path, error) from error
        left.add("links that lead nowhere", path)
        return False
    kind = kind_of_file(path) if regular else None
    if kind is not None and not decodable(kind):
        left.add(f"{kind.name} images", path, remedy(kind))
        return False
    if kind is not None or (regular and path.suffix.lower() in IMAGE_SUFFIXES):
        return True
    left.add(OTHER_FILES, path)
    return False


def take_part(source: Path, part: Part) -> tuple[Path, str | None]:
    """The part of a data set to evaluate on or to learn from, and a line that says so.

    A folder that holds ``train`` and ``val`` (or test …) does not hold two classes. Anything
    else is its own part, without a line.

    Raises:
        DataError: several parts could be meant.
    """
    parts = _parts_of(source)
    if not parts:
        return source, None
    fitting = [path for path, what in parts.items() if what == part]
    names = [path.name for path in parts]
    if len(fitting) != 1:
        raise DataError(
            f"{source} holds the parts of a data set, not classes",
            found=", ".join(names),
            expected="one part" if fitting else f"a part for {part}",
            fix="give " + " or ".join(map(str, fitting or parts)),
        )
    verb = "evaluated on" if part == "evaluation" else "learned from"
    return fitting[0], f"{source} holds {' and '.join(names)}, no classes: {verb} {fitting[0]}"


def both_parts(source: Path) -> tuple[Path, Path] | None:
    """(to learn from, to evaluate on), where a folder holds exactly one of each; of a validation
    and a test part it is validation, and the test part stays unseen."""
    parts = _parts_of(source)
    training = [path for path, part in parts.items() if part == "training"]
    evaluation = [path for path, part in parts.items() if part == "evaluation"]
    if len(evaluation) > 1:
        evaluation = [one for one in evaluation if not _plain_name(one.name).startswith("test")]
    return (training[0], evaluation[0]) if len(training) == len(evaluation) == 1 else None


def _plain_name(name: str) -> str:
    return _PART_ENDING.sub("", name.lower())


def _parts_of(source: Path) -> dict[Path, Part]:
    if not source.is_dir():
        return {}
    names = [entry.name for entry in _entries(source) if _is_folder(entry, source / entry.name)]
    told = {source / name: _PARTS.get(_plain_name(name)) for name in names}
    parts = {path: part for path, part in told.items() if part is not None}
    whole = len(parts) == len(names) or set(parts.values()) == {"evaluation", "training"}
    return parts if whole and len(parts) > 1 else {}


def left_out_lines(left_out: Iterable[LeftOut]) -> list[str]:
    """What was left out, for people: one line each for what has a remedy, one for the rest."""
    told = list(left_out)
    lines = [f"left out: {one.line()}" for one in told if one.fix]
    rest = "; ".join(one.line() for one in told if not one.fix)
    return [*lines, f"left out: {rest}"] if rest else lines
