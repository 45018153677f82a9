"""Several labels of each image in a CSV file: a column for each, or all in one cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_effnet.data.csv_data.table import NAME_COLUMNS, CsvTable
from edge_effnet.data.labels import match_label
from edge_effnet.errors import DataError
from edge_effnet.heads.kinds import NO_LABEL

INDEX_COLUMNS = ("classindex", "classid", "labelindex", "labelid")
_TRUE = {"1", "1.0", "true", "yes"}
_FALSE = {"0", "0.0", "false", "no", ""}
SEPARATORS = "|;,"
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


def lacks_columns(table: CsvTable, expected: str, example: str) -> DataError:
    return DataError(
        f"{table.path} lacks columns",
        found=", ".join(table.header),
        expected=expected,
        fix=f"add a header line such as: {example}",
    )


def class_of(
    table: CsvTable, row: tuple[str, ...], key: int, file: int, *, numbers: bool
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


def row_of_several(cells: Sequence[str], labels: Sequence[str] | None) -> int | None:
    """The first row whose cell holds several labels where one class belongs.

    A ``|`` is in no class name, and a ``;`` in none but those of a list. A comma is in many, as in
    ``tench, Tinca tinca``: there the parts must be labels themselves.
    """
    whole = {cell for cell in cells if cell}

    def known(name: str) -> bool:
        return match_label(name, labels) is not None if labels is not None else name in whole

    for row, cell in enumerate(cells):
        if "|" in cell or (";" in cell and labels is None):
            return row
        for separator in SEPARATORS[1:]:
            parts = _parts(cell, separator)
            if len(parts) > 1 and all(map(known, parts)) and (labels is None or not known(cell)):
                return row
    return None


def _parts(cell: str, separator: str | None) -> list[str]:
    parts = cell.split(separator) if separator else [cell]
    return [part.strip() for part in parts if part.strip()]


def several_labels(table: CsvTable, file: int, labels: Sequence[str] | None) -> Rows:
    columns = label_columns(table, file, labels)
    index, name = table.column(*INDEX_COLUMNS), table.column(*NAME_COLUMNS)
    key = index if index is not None else name
    if key is None or (labels is not None and len(columns) > 1):
        if not columns:
            raise lacks_columns(table, "file, and a column for each label", "file,cat,dog")
        return true_columns(table, columns, file, labels)
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
                class_of(table, (*row[:key], part, *row[key + 1 :]), key, file, numbers=True)
            named.append(tuple(int(part) for part in parts))
        else:
            named.append(tuple(parts))
    return Rows((), tuple(named))


def label_columns(table: CsvTable, file: int, labels: Sequence[str] | None) -> list[int]:
    """The columns that are named after labels; without a list, those of yes and no alone."""
    others = [index for index in range(len(table.header)) if index != file and table.header[index]]
    if labels is not None:
        return [index for index in others if match_label(table.header[index], labels) is not None]
    return [index for index in others if {c.lower() for c in table.cells(index)} <= _TRUE | _FALSE]


def true_columns(
    table: CsvTable, columns: Sequence[int], file: int, labels: Sequence[str] | None
) -> Rows:
    titles = [table.header[index] for index in columns]
    if labels is not None:
        found = {match_label(title, labels) for title in titles}
        lacking = [label for index, label in enumerate(labels) if index not in found]
        if lacking:
            raise DataError(
                f"{table.path} has no column for {len(lacking)} of the labels",
                found="columns for " + ", ".join(titles[:5]) + (" …" if len(titles) > 5 else ""),
                expected=f"one for each label, also for {', '.join(lacking[:3])}",
                fix="add the columns (0 where a label is not true)",
            )
    named = []
    for row in table.rows:
        odd = next((index for index in columns if row[index].lower() not in _TRUE | _FALSE), None)
        if odd is not None:
            raise DataError(
                f"{table.path} has a cell that is neither yes nor no",
                found=f"{row[file]}: {table.header[odd]} = {row[odd]!r}",
                expected="1 or 0, true or false, yes or no, or nothing for no",
                fix="correct the cell",
            )
        named.append(tuple(table.header[index] for index in columns if row[index].lower() in _TRUE))
    unused = [
        title for index, title in enumerate(table.header) if title and index not in {file, *columns}
    ]
    note = f"{table.path}: columns that are no label: {', '.join(unused)}"
    return Rows((), tuple(named), order=tuple(titles), notes=(note,) if unused else ())
