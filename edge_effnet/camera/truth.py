"""What is really in a frame: a CSV, or the name of the folder a picture lies in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from edge_effnet.camera.frames import Frame
from edge_effnet.data.classes import read_classes
from edge_effnet.data.csv_table import FILE_COLUMNS, NAME_COLUMNS, Table, locate, read_table
from edge_effnet.data.folders import list_folder
from edge_effnet.data.labels import match_label
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError

FOLDER = "folder"
_FRAME = "frame"

Truth = Callable[[Frame], int | None]
"""The true class of a frame as an index, None where it is not known."""


def read_truth(
    text: str,
    source: str,
    names: Sequence[str] | None,
    classes: int,
) -> Truth:
    """Open what ``--truth`` names.

    Args:
        text: ``folder``, or a CSV with the columns ``frame`` (position from 0) or ``file``
            (relative to the CSV), and ``label``; a blank label means "not known".
        source: what ``--source`` names.
        names: of the model's classes; None where it carries none.
        classes: how many it tells.

    Raises:
        DataError: no such file, no such columns, a class the model does not know, or a truth
            that says nothing of any image of the source.
    """
    if text == FOLDER:
        return _by_folder(Path(source), names, classes)
    path = Path(text)
    expected = "frame (or file) and label"
    table = read_table(path, (_FRAME, *FILE_COLUMNS), expected)
    frame, label = table.column(_FRAME), table.column(*NAME_COLUMNS)
    key = frame if frame is not None else table.column(*FILE_COLUMNS)
    if key is None or label is None:
        raise DataError(
            f"{path} is no truth for frames",
            found=f"the columns {', '.join(table.header)}",
            expected=expected,
            fix="write one row per frame: 0,stop",
        )
    told = {row[key]: row[label] for row in table.rows if row[label]}
    if not told:
        raise DataError(
            f"{path} says nothing of any frame",
            found="no label in any row",
            expected=expected,
            fix="write one row per frame: 0,stop",
        )
    reading = read_classes(
        set(told.values()), path, labels=names, classes=classes, in_folders=False
    )
    places = reading.places
    known = {where: places[name] for where, name in told.items()}
    if frame is None:
        return _by_file(path, known, Path(source))
    frames = {_number(where, table): place for where, place in known.items()}
    return lambda frame: frames.get(frame.position)


def _number(text: str, table: Table) -> int:
    if not text.isdecimal():
        raise DataError(
            f"{table.path} has a frame that is no number",
            found=repr(text),
            expected="0, 1, 2 …",
            fix="correct the file",
        )
    return int(text)


def _by_file(path: Path, known: dict[str, int], source: Path) -> Truth:
    files = {locate(path.parent, name).resolve(): place for name, place in known.items()}
    if source.exists():
        shown = (
            [sample.path for sample in load_images(source, part=None).samples]
            if (source.is_dir())
            else [source]
        )
        if not any(image.resolve() in files for image in shown):
            raise DataError(
                f"{path} says nothing of {source}",
                found=f"{len(files)} files, the first {next(iter(files), 'none')}",
                expected=f"images of {source}, such as {shown[0]}",
                fix="write paths relative to the CSV file, or give the source they are of",
            )
    return lambda frame: files.get(frame.path.resolve()) if frame.path else None


def _by_folder(source: Path, names: Sequence[str] | None, classes: int) -> Truth:
    if not source.exists():
        raise DataError(
            f"--truth {FOLDER} needs a file or a folder as source",
            found=str(source),
            fix="give a CSV with --truth, or leave it out",
        )
    folder = list_folder(source) if source.is_dir() else None
    if folder is None or folder.flat:
        whole = source if folder else source.parent
        name = whole.resolve().name
        place = _places({name}, source, names, classes)[name]
        return lambda _: place
    shown = {name for name, images in folder.classes.items() if images}
    places = _places(shown, source, names, classes)

    def truth(frame: Frame) -> int | None:
        if frame.path is None:
            return None
        return places.get(frame.path.relative_to(source).parts[0])

    return truth


def _places(
    folders: Collection[str],
    source: Path,
    names: Sequence[str] | None,
    classes: int,
) -> dict[str, int]:
    """The class of each folder; those that the model does not know are left out.

    Raises:
        DataError: it knows none, or nobody says which it means.
    """
    if names is None:
        reading = read_classes(folders, source, labels=None, classes=classes, in_folders=True)
        return {str(name): place for name, place in reading.places.items()}
    found = {name: match_label(name, names) for name in folders}
    places = {name: place for name, place in found.items() if place is not None}
    if not places:
        raise DataError(
            f"{source} names no class that the model knows",
            found=", ".join(map(repr, sorted(folders)[:3])),
            expected=f"one of its {len(names)} labels: {', '.join(names[:3])} …",
            fix="rename the folders, or give the model's own list with --labels",
        )
    return places
