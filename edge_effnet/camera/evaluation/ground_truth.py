"""What is really in a frame: a CSV, or the name of the folder an image lies in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from edge_effnet.camera.frames import Frame
from edge_effnet.camera.sources.address import shown_address
from edge_effnet.data.classes import read_classes
from edge_effnet.data.csv_data.files import read_rows
from edge_effnet.data.csv_data.table import FILE_COLUMNS, CsvTable, locate, read_table
from edge_effnet.data.folders import list_folder, take_part
from edge_effnet.data.labels import listed, match_label
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError
from edge_effnet.heads.head import Head
from edge_effnet.plurals import counted
from edge_effnet.printable import without_surrogates

FOLDER = "folder"
_FRAME = "frame"

Known = tuple[int, ...] | float
"""What is true of a frame: its class, all labels that are true (or none), or a value."""

GroundTruth = Callable[[Frame], Known | None]
"""What is true of a frame, None where it is not known."""


def read_ground_truth(
    text: str,
    source: str,
    names: Sequence[str] | None,
    head: Head,
    say: Callable[[str], None] = lambda _: None,
) -> GroundTruth:
    """Open what ``--truth`` names.

    Args:
        text: ``folder``, or a CSV with the columns ``frame`` (position from 0) or ``file``
            (relative to the CSV), and ``label``, or what ``read_csv`` takes for several labels
            and for values; a row that is blank but for the frame means "not known".
        source: what ``--source`` names.
        names: of the model's classes or labels; None where it carries none.
        head: of the model.
        say: tells the user how it was read.

    Raises:
        DataError: no such file, no such columns, a class the model does not know, two answers
            to one frame, or a truth that says nothing of any image of the source.
    """
    if text == FOLDER:
        if head.task == "value":
            raise DataError(
                f"--truth {FOLDER} names a class",
                found="a model that answers a number",
                fix="write a CSV: frame,value",
            )
        return _by_folder(Path(source), names, head.classes, say)
    if head.task == "value" and head.outputs > 1:
        raise DataError(
            "--truth says one value for each frame",
            found=f"a model that gives {head.outputs}",
            expected="a model with one output",
            fix="leave --truth out, and read the values from --jsonl -",
        )
    path, expected = Path(text), f"frame (or file) and {_NEEDED[head.task]}"
    table = read_table(path, (_FRAME, *FILE_COLUMNS), expected)
    frame = table.column(_FRAME)
    key = frame if frame is not None else table.column(*FILE_COLUMNS)
    assert key is not None  # noqa: S101 (read_table looks for it)
    stated = tuple(row for row in table.rows if any(row[:key] + row[key + 1 :]))
    if not stated:
        raise DataError(
            f"{path} says nothing of any frame",
            found="nothing beside the frame in any row",
            expected=expected,
            fix="write one row per frame: 0,stop",
        )
    table = replace(table, rows=stated)
    known: dict[str, Known] = {}
    for cell, answer in zip(table.cells(key), _answers(table, key, names, head, say), strict=True):
        if known.setdefault(cell, answer) != answer:
            raise DataError(
                f"{path} says two things of one frame",
                found=f"rows that differ about {table.header[key]} {cell}",
                expected="one row for each frame",
                fix="remove one of them; several labels stand in one cell, joined by |",
            )
    if frame is None:
        return _by_file(path, known, Path(source))
    frames = {_number(where, table): answer for where, answer in known.items()}
    return lambda frame: frames.get(frame.position)


_NEEDED = {"classes": "label", "labels": "label", "value": "value"}


def _answers(
    table: CsvTable,
    key: int,
    names: Sequence[str] | None,
    head: Head,
    say: Callable[[str], None],
) -> Sequence[Known]:
    """What each row says."""
    rows = read_rows(table, key, labels=names, task=head.task)
    if head.task == "value":
        return rows.values
    reading = read_classes(
        {name for named in rows.names for name in named},
        table.path,
        labels=names,
        classes=head.classes,
        in_folders=False,
        order=rows.order,
    )
    if reading.note:
        say(reading.note)
    return [tuple(sorted({reading.indices[name] for name in named})) for named in rows.names]


def _number(text: str, table: CsvTable) -> int:
    if not text.isdecimal():
        raise DataError(
            f"{table.path} has a frame that is no number",
            found=repr(text),
            expected="0, 1, 2 …",
            fix="correct the file",
        )
    return int(text)


def _by_file(path: Path, known: dict[str, Known], source: Path) -> GroundTruth:
    files = {locate(path.parent, name).resolve(): answer for name, answer in known.items()}
    if source.exists():
        shown = (
            [sample.path for sample in load_images(source, part=None).samples]
            if (source.is_dir())
            else [source]
        )
        if not any(image.resolve() in files for image in shown):
            raise DataError(
                f"{path} says nothing of {source}",
                found=f"{counted(len(files), 'file')}, the first {next(iter(files), 'none')}",
                expected=f"images of {source}, such as {shown[0]}",
                fix="write paths relative to the CSV file, or give the source they are of",
            )
    return lambda frame: files.get(frame.path.resolve()) if frame.path else None


def _by_folder(
    source: Path, names: Sequence[str] | None, classes: int, say: Callable[[str], None]
) -> GroundTruth:
    if not source.exists():
        raise DataError(
            f"--truth {FOLDER} needs a file or a folder as source",
            found=shown_address(str(source)),
            fix="give a CSV with --truth, or leave it out",
        )
    folder, (part, _) = (
        list_folder(source) if source.is_dir() else None,
        take_part(source, "evaluation"),
    )
    inner = part if part != source else folder.inner if folder else None
    if inner is not None and (names is None or match_label(inner.name, names) is None):
        raise DataError(
            f"the folders in {source} are no classes",
            found=listed(sorted(path.name for path in source.iterdir() if path.is_dir())),
            expected="a folder per class",
            fix=f"--source {inner}",
        )
    if folder is None or folder.flat:
        name = (source if folder else source.parent).resolve().name
        index = _indices({name}, source, names, classes, say)[name]
        return lambda _: (index,)
    shown = {name: len(images) for name, images in folder.classes.items() if images}
    indices = _indices(shown, source, names, classes, say)
    if unknown := [f"{name} ({count})" for name, count in shown.items() if name not in indices]:
        say(f"not evaluated, since the model knows no such class: images of {listed(unknown)}")

    def truth(frame: Frame) -> Known | None:
        if frame.path is None:
            return None
        index = indices.get(without_surrogates(frame.path.relative_to(source).parts[0]))
        return None if index is None else (index,)

    return truth


def _indices(
    folders: Collection[str],
    source: Path,
    names: Sequence[str] | None,
    classes: int,
    say: Callable[[str], None],
) -> dict[str, int]:
    """The class of each folder; those that the model does not know are left out.

    Raises:
        DataError: it knows none, or nobody says which it means.
    """
    if names is None:
        reading = read_classes(folders, source, labels=None, classes=classes, in_folders=True)
        if reading.note:
            say(reading.note)
        return {str(name): index for name, index in reading.indices.items()}
    found = {name: match_label(name, names) for name in folders}
    indices = {name: index for name, index in found.items() if index is not None}
    if not indices:
        raise DataError(
            f"{source} names no class that the model knows",
            found=", ".join(map(repr, sorted(folders)[:3])) or "no folder with images",
            expected=f"one of its {counted(len(names), 'label')}: {', '.join(names[:3])} …",
            fix="rename the folders, or give the model's own list with --labels",
        )
    return indices
