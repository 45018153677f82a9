"""A table in a CSV file, as Excel, pandas and Kaggle write it.

Comma, semicolon or tab; with or without a byte order mark; UTF-8 or UTF-16; any capitals and
blanks in the header; paths with slashes or backslashes, relative to the file.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_effnet.data.labels import read_text
from edge_effnet.errors import DataError
from edge_effnet.plurals import counted

FILE_COLUMNS = ("file", "filename", "filepath", "path", "image", "imagename", "imagepath", "img")
NAME_COLUMNS = ("label", "class", "classname", "category", "labels", "classes", "tags")


@dataclass(frozen=True)
class CsvTable:
    """A CSV file; every row has a cell for each column."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str

    def column(self, *names: str) -> int | None:
        """The index of the column that has one of these names, folded as by ``fold_header``.

        Raises:
            DataError: several have, and the first name does not decide it.
        """
        folded = [fold_header(title) for title in self.header]
        indices = [index for index, title in enumerate(folded) if title in names]
        first = [index for index in indices if folded[index] == names[0]]
        if len(indices) > 1 and len(first) != 1:
            raise DataError(
                f"{self.path} has several columns that could be the {names[0]}",
                found=", ".join(self.header[index] for index in indices),
                expected="one of them",
                fix=f"name it {names[0]}, and the others otherwise",
            )
        return next(iter(first or indices), None)

    def cells(self, index: int) -> list[str]:
        return [row[index] for row in self.rows]


def fold_header(title: str) -> str:
    """A column's name without capitals, blanks and punctuation: ``Class ID`` is ``classid``."""
    return "".join(letter for letter in title.casefold() if letter.isalnum())


def read_table(path: Path, keys: Iterable[str], expected: str) -> CsvTable:
    """Read a CSV file by the delimiter with which one of the columns ``keys`` appears.

    Args:
        keys: folded names, one of which must be there.
        expected: for the error.

    Raises:
        DataError: unreadable, none of these columns, or a row with too many cells.
    """
    text = read_text(path, "a CSV file")
    if match := re.match(r"sep=(.)\r?\n", text):  # Excel's own first line
        text = text[match.end() :]
    keys, delimiters = set(keys), "\t,;" if path.suffix.lower() == ".tsv" else ",;\t"
    try:
        headers = {d: next(csv.reader(io.StringIO(text), delimiter=d), []) for d in delimiters}
        fitting = [d for d in delimiters if keys & set(map(fold_header, headers[d]))]
        widest = max(headers.values(), key=len)
        if not fitting:
            raise DataError(
                f"{path} lacks columns",
                found=", ".join(widest) or "an empty file",
                expected=expected,
                fix="add a header line such as: file,label",
            )
        delimiter = max(fitting, key=lambda d: len(headers[d]))
        reader = csv.reader(io.StringIO(text, ""), delimiter=delimiter, skipinitialspace=True)
        header = [title.strip() for title in next(reader)]
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if any(cell.strip() for cell in cells[len(header) :]):
                raise DataError(
                    f"{path} has a row with more cells than columns",
                    found=f"line {reader.line_num}: {delimiter.join(cells)}",
                    expected=counted(len(header), "cell"),
                    fix=f'put a name that holds "{delimiter}" in quotes',
                )
            padded = [*(cell.strip() for cell in cells), *[""] * len(header)]
            rows.append(tuple(padded[: len(header)]))
    except csv.Error as error:
        raise DataError(
            f"{path} cannot be read as CSV", found=str(error), fix="check the file"
        ) from error
    return CsvTable(path, tuple(header), tuple(rows), delimiter)


def locate(base: Path, text: str) -> Path:
    """The file that a cell names, relative to ``base``: with slashes or backslashes, accents
    composed or not. Where there is none, the path as it should be."""
    slashes = text if "\\" not in text or (base / text).exists() else text.replace("\\", "/")
    spellings = (slashes, *(unicodedata.normalize(form, slashes) for form in ("NFC", "NFD")))
    found = (base / spelling for spelling in dict.fromkeys(spellings))
    return next((path for path in found if path.is_file()), base / slashes)
