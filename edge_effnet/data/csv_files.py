"""Labelled images in a CSV file: one class, several labels or a value for each image."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_effnet.data.csv_table import FILE_COLUMNS, NAME_COLUMNS, Table, locate, read_table
from edge_effnet.data.labels import match_label
from edge_effnet.errors import DataError
from edge_effnet.heads.kinds import NO_LABEL, Task

SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
_INDEX_COLUMNS = ("classindex", "classid", "labelindex", "labelid")
_VALUE_COLUMNS = ("value", "target")
_TRUE, _FALSE = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no", ""}
SEPARATORS = "|;,"
_WHOLE_AS_FLOAT = re.compile(r"\d+\.0+")
_INDEX_DIGITS = 6  # a slip such as 100000000000 must not make a list of as many labels


@dataclass(frozen=True)
class Rows:
    """What a CSV says of its images.

    Attributes:
        names: of each image its classes: names, or numbers that are class indices.
        values: of each image, for regression; else empty.
        order: the labels in index order, where the file has a column for each.
        notes: what the user should know.
    """

    paths: tuple[Path, ...]
    names: tuple[tuple[str | int, ...], ...] = ()
    values: tuple[float, ...] = ()
    order: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def read_csv(source: Path, *, labels: Sequence[str] | None, task: Task) -> Rows:
    """Read the images of a CSV file and what it says of each.

    Args:
        labels: the model's, where it has names.
        task: what an image's answer is. Several labels stand in a column each (1/0, true/false,
            yes/no, empty for no), or in one cell, joined by ``|``, ``;`` or ``,``; a value
            stands in a column ``value``.

    Raises:
        DataError: no such columns, a row that does not fit, files that do not exist, or data
            for another task.
    """
    table = read_table(source, FILE_COLUMNS, "file, and class_index or label")
    place = table.column(*FILE_COLUMNS)
    assert place is not None  # noqa: S101 (read_table looks for it)
    if not table.rows:
        raise DataError(
            f"{source} holds no images", found="a header alone", fix="add a row for each image"
        )
    if (row := next((row for row in table.rows if not row[place]), None)) is not None:
        raise DataError(
            f"{source} has a row without a file",
            found=table.delimiter.join(row),
            expected="a path relative to the CSV file",
            fix=f"complete the column '{table.header[place]}', or remove the row",
        )
    rows = read_rows(table, place, labels=labels, task=task)
    paths = tuple(locate(source.parent, cell) for cell in table.cells(place))
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise DataError(
            f"{source} lists files that do not exist",
            found=f"{len(missing)} of {len(paths)} missing, first {missing[0]}",
            expected="paths relative to the CSV file",
            fix=f"correct the column '{table.header[place]}'",
        )
    return Rows(paths, rows.names, rows.values, rows.order, rows.notes)


def read_rows(table: Table, file: int, *, labels: Sequence[str] | None, task: Task) -> Rows:
    """What the rows of a table say, whatever they are about; its ``paths`` are empty.

    Args:
        file: the column that names what a row is about.
        labels, task: as ``read_csv``.

    Raises:
        DataError: no such columns, a row that does not fit, or data for another task.
    """
    read = {"classes": _one_class, "labels": _several_labels, "value": _a_value}[task]
    return read(table, file, labels)


def _one_class(table: Table, file: int, labels: Sequence[str] | None) -> Rows:
    index, name = table.column(*_INDEX_COLUMNS), table.column(*NAME_COLUMNS)
    key = index if index is not None else name
    if key is None:
        return _one_of_columns(table, file, labels)
    if index is None and (row := _row_of_several(table.cells(key), labels)) is not None:
        raise _several(table, f"several labels in one cell: {table.rows[row][key]}")
    if all(_WHOLE_AS_FLOAT.fullmatch(cell) for cell in table.cells(key)):  # as pandas writes them
        whole = [(*row[:key], row[key].split(".")[0], *row[key + 1 :]) for row in table.rows]
        table = replace(table, rows=tuple(whole))
    names = [_class_of(table, row, key, file, numbers=index is not None) for row in table.rows]
    if index is not None and name is not None and labels is not None:
        _refuse_two_classes(table, file, index, name, labels)
    return Rows((), tuple((name,) for name in names))


def _refuse_two_classes(
    table: Table, file: int, index: int, name: int, labels: Sequence[str]
) -> None:
    """Raise DataError where a class's number and its name mean two."""
    places: dict[str, int | None] = {"": None}
    for row in table.rows:
        number, text = int(row[index]), row[name]
        if text not in places:
            places[text] = None
            with contextlib.suppress(DataError):  # a name of two classes contradicts neither
                places[text] = match_label(text, labels)
        if places[text] not in {None, number}:
            by_number = f", which is {labels[number]!r}" if number < len(labels) else ""
            raise DataError(
                f"{table.path} says two classes of one image",
                found=f"{row[file]}: {table.header[index]} = {number}{by_number}, "
                f"and {table.header[name]} = {text!r}",
                expected="columns that agree with the model's labels",
                fix="correct one of them, or remove it",
            )


def _one_of_columns(table: Table, file: int, labels: Sequence[str] | None) -> Rows:
    """A column for each class, of which exactly one is true."""
    columns = _label_columns(table, file, labels)
    columns = columns if len(columns) > 1 else _label_columns(table, file, None)
    if len(columns) > 1:
        rows = _true_columns(table, columns, file, None)
        if all(len(names) == 1 for names in rows.names):
            return rows
        raise _several(
            table, f"a column for each of {', '.join(table.header[c] for c in columns[:3])} …"
        )
    if table.column(*_VALUE_COLUMNS) is not None:
        raise DataError(
            f"{table.path} says no classes",
            found="a column of values",
            expected="file, and class_index or label",
            fix="for a model that tells a number: --head regression",
        )
    raise _lacks(table, "file, and class_index or label", "file,label")


def _several(table: Table, found: str) -> DataError:
    return DataError(
        f"{table.path} holds images of several labels",
        found=found,
        expected="one class for each image",
        fix="for a model whose labels can be true together: --head multilabel",
    )


def _lacks(table: Table, expected: str, example: str) -> DataError:
    return DataError(
        f"{table.path} lacks columns",
        found=", ".join(table.header),
        expected=expected,
        fix=f"add a header line such as: {example}",
    )


def _class_of(
    table: Table, row: tuple[str, ...], key: int, file: int, *, numbers: bool
) -> str | int:
    value = row[key]
    if not numbers and value:
        return value
    if not (value.isdecimal() and len(value) <= _INDEX_DIGITS):
        raise DataError(
            f"{table.path} has a row without a class",
            found=f"{row[file]}: {table.header[key]} = {value!r}",
            expected="a whole number from 0" if numbers else "a name",
            fix="complete the row",
        )
    return int(value)


def _row_of_several(cells: Sequence[str], labels: Sequence[str] | None) -> int | None:
    """The first row whose cell holds several labels where one class belongs.

    A ``|`` is in no class name. Other separators are, as in ``tench, Tinca tinca``: there the
    parts must be labels themselves.
    """
    whole = {cell for cell in cells if cell}

    def known(name: str) -> bool:
        return match_label(name, labels) is not None if labels is not None else name in whole

    for row, cell in enumerate(cells):
        if "|" in cell:
            return row
        for separator in SEPARATORS[1:]:
            parts = _parts(cell, separator)
            if len(parts) > 1 and all(map(known, parts)) and (labels is None or not known(cell)):
                return row
    return None


def _parts(cell: str, separator: str | None) -> list[str]:
    parts = cell.split(separator) if separator else [cell]
    return [part.strip() for part in parts if part.strip()]


def _several_labels(table: Table, file: int, labels: Sequence[str] | None) -> Rows:
    columns = _label_columns(table, file, labels)
    index, name = table.column(*_INDEX_COLUMNS), table.column(*NAME_COLUMNS)
    key = index if index is not None else name
    if key is None or (labels is not None and len(columns) > 1):
        if not columns:
            raise _lacks(table, "file, and a column for each label", "file,cat,dog")
        return _true_columns(table, columns, file, labels)
    cells = table.cells(key)
    separator = next((one for one in SEPARATORS if any(one in cell for cell in cells)), None)
    if separator is not None and labels is not None:
        whole = {cell for cell in cells if match_label(cell, labels) is not None}
    else:
        whole = set()
    named: list[tuple[str | int, ...]] = []
    for row, cell in zip(table.rows, cells, strict=True):
        parts = [cell] if cell in whole else _parts(cell, separator)
        if parts == [NO_LABEL]:
            parts = []
        if index is not None:
            for part in parts:
                _class_of(table, (*row[:key], part, *row[key + 1 :]), key, file, numbers=True)
            named.append(tuple(int(part) for part in parts))
        else:
            named.append(tuple(parts))
    return Rows((), tuple(named))


def _label_columns(table: Table, file: int, labels: Sequence[str] | None) -> list[int]:
    """The columns that are named after labels; without a list, those of yes and no alone."""
    others = [place for place in range(len(table.header)) if place != file and table.header[place]]
    if labels is not None:
        return [place for place in others if match_label(table.header[place], labels) is not None]
    return [place for place in others if {c.lower() for c in table.cells(place)} <= _TRUE | _FALSE]


def _true_columns(
    table: Table, columns: Sequence[int], file: int, labels: Sequence[str] | None
) -> Rows:
    titles = [table.header[place] for place in columns]
    if labels is not None:
        found = {match_label(title, labels) for title in titles}
        lacking = [label for place, label in enumerate(labels) if place not in found]
        if lacking:
            raise DataError(
                f"{table.path} says nothing of {len(lacking)} labels",
                found="columns for " + ", ".join(titles[:5]) + (" …" if len(titles) > 5 else ""),
                expected=f"one for each label, also for {', '.join(lacking[:3])}",
                fix="add the columns (0 where a label is not true)",
            )
    named = []
    for row in table.rows:
        odd = next((place for place in columns if row[place].lower() not in _TRUE | _FALSE), None)
        if odd is not None:
            raise DataError(
                f"{table.path} has a cell that is neither yes nor no",
                found=f"{row[file]}: {table.header[odd]} = {row[odd]!r}",
                expected="1 or 0, true or false, yes or no, or nothing for no",
                fix="correct the cell",
            )
        named.append(tuple(table.header[place] for place in columns if row[place].lower() in _TRUE))
    unused = [
        title for place, title in enumerate(table.header) if title and place not in {file, *columns}
    ]
    note = f"{table.path}: columns that are no label: {', '.join(unused)}"
    return Rows((), tuple(named), order=tuple(titles), notes=(note,) if unused else ())


def _a_value(table: Table, file: int, labels: Sequence[str] | None) -> Rows:  # noqa: ARG001
    key = table.column(*_VALUE_COLUMNS)
    if key is None:
        raise DataError(
            f"{table.path} says no values, and this model tells a number",
            found=", ".join(table.header),
            expected="file and value",
            fix="add such a column, or, if its one number tells two classes apart, --head logits",
        )
    values = []
    for row in table.rows:
        text = row[key] if table.delimiter == "," else row[key].replace(",", ".")
        try:
            values.append(float(text))
        except ValueError:
            values.append(math.nan)
        if not math.isfinite(values[-1]):
            raise DataError(
                f"{table.path} has a row without a value",
                found=f"{row[file]}: {table.header[key]} = {row[key]!r}",
                expected="a number",
                fix="complete the row",
            )
    return Rows((), values=tuple(values))
