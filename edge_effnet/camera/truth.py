"""What is really in a frame: a CSV, or the name of the folder a picture lies in."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_effnet.camera.answers import NO_LABEL
from edge_effnet.camera.frames import Frame
from edge_effnet.data.labels import match_label
from edge_effnet.errors import DataError
from edge_effnet.heads import Task

FOLDER = "folder"

Known = tuple[int, ...] | float
"""What is true of a frame: its class, all labels that are true (or none), or a value."""

Truth = Callable[[Frame], Known | None]
"""What is true of a frame, None where it is not known."""

Row = dict[str, str | None]

_TRUE, _FALSE = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no", "")


def read_truth(text: str, source: str, labels: Sequence[str], task: Task = "classes") -> Truth:
    """Open what ``--truth`` names.

    Args:
        text: ``folder``, or a CSV with the columns ``frame`` (position from 0) or ``file``
            (relative to the CSV), and ``label``; a blank label means "not known". Several labels
            stand in one cell (``red|blue``) or in a column each (0 or 1), a value in ``value``.
        source: what ``--source`` names.
        labels: of the model.
        task: of the model's head.

    Raises:
        DataError: no such file, no such columns, or a class the model does not know.
    """
    if text == FOLDER:
        if task != "classes":
            raise DataError(
                f"--truth {FOLDER} names one class",
                found=f"a model that answers {'a value' if task == 'value' else 'several labels'}",
                fix="write a CSV: frame,label or frame,value",
            )
        return _by_folder(Path(source), labels)
    path = Path(text)
    rows = _read_rows(path)
    columns = set(rows[0]) if rows else set()
    own = [name for name in columns if name is not None and match_label(name, labels) is not None]
    needed = {"classes": "label", "labels": "label", "value": "value"}[task]
    key = next((name for name in ("frame", "file") if name in columns), None)
    if key is None or (needed not in columns and not (task == "labels" and own)):
        raise DataError(
            f"{path} is no truth for frames",
            found=f"the columns {', '.join(sorted(filter(None, columns))) or 'none'}",
            expected=f"frame (or file) and {needed}",
            fix="write one row per frame: " + ("0,1.5" if task == "value" else "0,stop"),
        )

    def known_of(row: Row) -> Known | None:
        if task == "labels" and needed not in columns:
            return _from_columns(row, own, path, labels)
        cell = str(row[needed] or "").strip()
        if not cell:
            return None
        if task == "value":
            return _number(cell, path)
        names = [cell] if task == "classes" else _split(cell, labels)
        return tuple(sorted({_class_of(name, path, labels) for name in names}))

    pairs = ((str(row[key] or "").strip(), known_of(row)) for row in rows)
    known = {place: answer for place, answer in pairs if answer is not None}
    if key == "file":
        files = {(path.parent / name).resolve(): answer for name, answer in known.items()}
        return lambda frame: files.get(frame.path.resolve()) if frame.path else None
    try:
        frames = {int(number): answer for number, answer in known.items()}
    except ValueError as error:
        raise DataError(
            f"{path} has a frame that is no number",
            found=str(error),
            expected="0, 1, 2 …",
            fix="correct the file",
        ) from error
    return lambda frame: frames.get(frame.position)


def _read_rows(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read as a CSV file", found=str(error), fix="check --truth"
        ) from error


def _split(cell: str, labels: Sequence[str]) -> list[str]:
    """The labels of one cell; a label that holds a sign which also divides stays whole."""
    if cell == NO_LABEL:
        return []
    if match_label(cell, labels) is not None:
        return [cell]
    return [name.strip() for name in re.split(r"[|;,]", cell) if name.strip()]


def _from_columns(
    row: Row, own: Sequence[str], path: Path, labels: Sequence[str]
) -> tuple[int, ...] | None:
    cells = {name: str(row[name] or "").strip().lower() for name in own}
    if not any(cells.values()):
        return None
    for name, cell in cells.items():
        if cell not in (*_TRUE, *_FALSE):
            raise DataError(
                f"{path} does not say whether a label is true",
                found=f"{name} = {cell!r}",
                expected="0 or 1",
                fix="correct the column",
            )
    return tuple(sorted(_class_of(name, path, labels) for name in own if cells[name] in _TRUE))


def _number(cell: str, path: Path) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(
            f"{path} has a value that is no number", found=repr(cell), fix="correct the file"
        )
    return number


def _by_folder(source: Path, labels: Sequence[str]) -> Truth:
    if not source.exists():
        raise DataError(
            f"--truth {FOLDER} needs a file or a folder as source",
            found=str(source),
            fix="give a CSV with --truth, or leave it out",
        )
    if source.is_file():
        whole = (_class_of(source.resolve().parent.name, source, labels),)
        return lambda _: whole

    def truth(frame: Frame) -> Known | None:
        found = match_label(frame.path.parent.name, labels) if frame.path else None
        return None if found is None else (found,)

    return truth


def _class_of(name: str, where: Path, labels: Sequence[str]) -> int:
    found = match_label(name, labels)
    if found is None:
        raise DataError(
            f"{where} names a class the model does not know",
            found=repr(name),
            expected=f"one of its {len(labels)} labels: {', '.join(labels[:3])} …",
            fix="rename the class, or give the model's own list with --labels",
        )
    return found
