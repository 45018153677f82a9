"""Labelled images in a CSV file: one class, several labels or a value for each image."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge_effnet.data.csv_data.several_labels import (
    INDEX_COLUMNS,
    Rows,
    class_of,
    label_columns,
    lacks_columns,
    row_of_several,
    several_labels,
    true_columns,
)
from edge_effnet.data.csv_data.table import FILE_COLUMNS, NAME_COLUMNS, CsvTable, locate, read_table
from edge_effnet.data.labels import match_label
from edge_effnet.errors import DataError
from edge_effnet.heads.kinds import Task

SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
_VALUE_COLUMNS = ("value", "target")
_WHOLE_AS_FLOAT = re.compile(r"\d+\.0+")


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
    column = table.column(*FILE_COLUMNS)
    assert column is not None  # noqa: S101 (read_table looks for it)
    if not table.rows:
        raise DataError(
            f"{source} holds no images", found="a header alone", fix="add a row for each image"
        )
    if (row := next((row for row in table.rows if not row[column]), None)) is not None:
        raise DataError(
            f"{source} has a row without a file",
            found=table.delimiter.join(row),
            expected="a path relative to the CSV file",
            fix=f"complete the column '{table.header[column]}', or remove the row",
        )
    rows = read_rows(table, column, labels=labels, task=task)
    paths = tuple(locate(source.parent, cell) for cell in table.cells(column))
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise DataError(
            f"{source} lists files that do not exist",
            found=f"{len(missing)} of {len(paths)} missing, first {missing[0]}",
            expected="paths relative to the CSV file",
            fix=f"correct the column '{table.header[column]}'",
        )
    return Rows(paths, rows.names, rows.values, rows.order, rows.notes)


def read_rows(table: CsvTable, file: int, *, labels: Sequence[str] | None, task: Task) -> Rows:
    """What the rows of a table say, whatever they are about; its ``paths`` are empty.

    Args:
        file: the column that names what a row is about.
        labels, task: as ``read_csv``.

    Raises:
        DataError: no such columns, a row that does not fit, or data for another task.
    """
    read = {"classes": _one_class, "labels": several_labels, "value": _a_value}[task]
    return read(table, file, labels)


def _one_class(table: CsvTable, file: int, labels: Sequence[str] | None) -> Rows:
    index, name = table.column(*INDEX_COLUMNS), table.column(*NAME_COLUMNS)
    key = index if index is not None else name
    if key is None:
        return _one_of_columns(table, file, labels)
    if index is None and (row := row_of_several(table.cells(key), labels)) is not None:
        raise _several(table, f"several labels in one cell: {table.rows[row][key]}")
    if all(_WHOLE_AS_FLOAT.fullmatch(cell) for cell in table.cells(key)):  # as pandas writes them
        rows = [(*row[:key], row[key].split(".")[0], *row[key + 1 :]) for row in table.rows]
        table = replace(table, rows=tuple(rows))
    names = [class_of(table, row, key, file, numbers=index is not None) for row in table.rows]
    if index is not None and name is not None and labels is not None:
        _refuse_two_classes(table, file, index, name, labels)
    return Rows((), tuple((name,) for name in names))


def _refuse_two_classes(
    table: CsvTable, file: int, index: int, name: int, labels: Sequence[str]
) -> None:
    """Raise DataError where a class's number and its name mean two."""
    known: dict[str, int | None] = {"": None}
    for row in table.rows:
        number, text = int(row[index]), row[name]
        if text not in known:
            known[text] = None
            with contextlib.suppress(DataError):  # a name of two classes contradicts neither
                known[text] = match_label(text, labels)
        if known[text] not in {None, number}:
            by_number = f", which is {labels[number]!r}" if number < len(labels) else ""
            raise DataError(
                f"{table.path} names two classes for one image",
                found=f"{row[file]}: {table.header[index]} = {number}{by_number}, "
                f"and {table.header[name]} = {text!r}",
                expected="columns that agree with the model's labels",
                fix="correct one of them, or remove it",
            )


def _one_of_columns(table: CsvTable, file: int, labels: Sequence[str] | None) -> Rows:
    """A column for each class, of which exactly one is true."""
    columns = label_columns(table, file, labels)
    columns = columns if len(columns) > 1 else label_columns(table, file, None)
    if len(columns) > 1:
        rows = true_columns(table, columns, file, None)
        if all(len(names) == 1 for names in rows.names):
            return rows
        raise _several(
            table, f"a column for each of {', '.join(table.header[c] for c in columns[:3])} …"
        )
    if table.column(*_VALUE_COLUMNS) is not None:
        raise DataError(
            f"{table.path} has no classes",
            found="a column of values",
            expected="file, and class_index or label",
            fix="for a model that predicts a number: --head regression",
        )
    raise lacks_columns(table, "file, and class_index or label", "file,label")


def _several(table: CsvTable, found: str) -> DataError:
    return DataError(
        f"{table.path} holds images of several labels",
        found=found,
        expected="one class for each image",
        fix="give each image one class; for a model whose labels can be true together: "
        "--head multilabel",
    )


def _a_value(table: CsvTable, file: int, labels: Sequence[str] | None) -> Rows:  # noqa: ARG001
    key = table.column(*_VALUE_COLUMNS)
    if key is None:
        raise DataError(
            f"{table.path} has no values, and this model predicts a number",
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
