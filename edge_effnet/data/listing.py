"""Lists of labelled images: a folder per class, or a CSV file.

Nothing is decoded here. A data set is a list of paths with class indices; reading, and
naming what cannot be read, happens where the pixels are used.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_effnet.data.labels import match_label
from edge_effnet.errors import DataError
from edge_effnet.image import IMAGE_SUFFIXES


@dataclass(frozen=True)
class Sample:
    """One image.

    Attributes:
        label: of its one class, an index into the data set's labels; None where unlabelled.
        labels: indices of the labels that are true together, where several can be; may be empty.
        value: the number to be told, for regression.
    """

    path: Path
    label: int | None
    labels: tuple[int, ...] | None = None
    value: float | None = None


@dataclass(frozen=True)
class Dataset:
    samples: tuple[Sample, ...]
    labels: tuple[str, ...]
    source: str

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def class_counts(self) -> dict[str, int]:
        """Images per class, for the classes that have any, in label order."""
        counts = Counter(sample.label for sample in self.samples)
        return {name: counts[i] for i, name in enumerate(self.labels) if counts[i]}


def load_dataset(source: Path, *, labels: Sequence[str] | None = None) -> Dataset:
    """List a labelled data set.

    Args:
        source: a folder with one folder per class, or a CSV file with the columns ``file``
            (relative to the CSV) and ``class_index`` or ``label``.
        labels: the label list of the model in use; class names are mapped onto it. Without
            it, the names found are the labels, in sorted order.

    Raises:
        DataError: nothing there, no images, one class only, or a class the labels lack.
    """
    if source.is_dir():
        named = _read_folders(source)
    elif source.is_file():
        if source.suffix.lower() not in {".csv", ".tsv", ".txt"}:
            raise _not_a_dataset(source, f"a {source.suffix or 'nameless'} file")
        named = _read_csv(source)
    else:
        raise _not_a_dataset(source, "nothing there")
    dataset = _index(named, source, labels)
    classes = dataset.class_counts
    if len(classes) < 2:
        raise DataError(
            f"{source} holds one class only, on which any accuracy is meaningless",
            found=f"{len(dataset)} images, all {next(iter(classes))!r}",
            expected="at least 2 classes",
            fix="add a folder for each class that the network must tell apart",
        )
    return dataset


def load_images(source: Path) -> Dataset:
    """List images without needing their labels, as calibration does.

    Takes whatever ``load_dataset`` takes, one class too, and a flat folder of images.

    Raises:
        DataError: nothing there, or no images.
    """
    if source.is_dir():
        if named := _in_class_folders(source):
            return _index(named, source, None)
        samples = tuple(Sample(path, None) for path in _images_below(source))
        if not samples:
            raise _no_images(source)
        return Dataset(samples, (), str(source))
    if source.is_file() and source.suffix.lower() in {".csv", ".tsv", ".txt"}:
        return _index(_read_csv(source), source, None)
    raise _not_a_dataset(source, "a file of another kind" if source.exists() else "nothing there")


def _class_folders(source: Path) -> list[Path]:
    try:
        return sorted(entry for entry in source.iterdir() if entry.is_dir() and not _hidden(entry))
    except OSError as error:
        raise DataError(
            f"{source} cannot be listed",
            found=error.strerror or str(error),
            fix="check its permissions",
        ) from error


def _images_below(folder: Path) -> list[Path]:
    """The images at any depth, without hidden files and folders (.ipynb_checkpoints)."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(map(_hidden, (path, *path.relative_to(folder).parents)))
        and path.is_file()
    )


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _in_class_folders(source: Path) -> list[tuple[Path, str | int]]:
    return [
        (path, folder.name) for folder in _class_folders(source) for path in _images_below(folder)
    ]


def _read_folders(source: Path) -> list[tuple[Path, str | int]]:
    named = _in_class_folders(source)
    if not named and (flat := _images_below(source)):
        raise DataError(
            f"{source} does not say which class its images are",
            found=f"{len(flat)} images, none in a folder of its class",
            expected="a folder per class with images in it, or a CSV file",
            fix="move the images of each class into a folder named after it",
        )
    if not named:
        raise _no_images(source)
    return named


def _read_csv(source: Path) -> list[tuple[Path, str | int]]:
    named: list[tuple[Path, str | int]] = []
    try:
        with source.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines, delimiter="\t" if source.suffix == ".tsv" else ",")
            columns = rows.fieldnames or []
            key = next((name for name in ("class_index", "label") if name in columns), None)
            if "file" not in columns or key is None:
                raise DataError(
                    f"{source} lacks columns",
                    found=", ".join(columns) or "an empty file",
                    expected="file, and class_index or label",
                    fix="add a header line such as: file,label",
                )
            for row in rows:
                named.append((source.parent / (row["file"] or ""), _class_of(row, key, source)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{source} cannot be read as CSV", found=str(error), fix="check the file"
        ) from error
    if not named:
        raise _no_images(source)
    missing = [path for path, _ in named if not path.is_file()]
    if missing:
        raise DataError(
            f"{source} lists files that do not exist",
            found=f"{len(missing)} of {len(named)} missing, first {missing[0]}",
            expected="paths relative to the CSV file",
            fix="correct the column 'file'",
        )
    return named


_INDEX_DIGITS = 6  # a slip such as 100000000000 must not make a list of as many labels


def _class_of(row: dict[str, str | None], key: str, source: Path) -> str | int:
    value = (row[key] or "").strip()
    if key == "label" and value:
        return value
    if not (value.isdecimal() and len(value) <= _INDEX_DIGITS):
        raise DataError(
            f"{source} has a row without a class",
            found=f"{row.get('file')}: {key} = {value!r}",
            expected="a whole number from 0" if key == "class_index" else "a name",
            fix="complete the row",
        )
    return int(value)


def _index(
    named: list[tuple[Path, str | int]], source: Path, labels: Sequence[str] | None
) -> Dataset:
    names = {value for _, value in named}
    if labels is None:
        if all(isinstance(name, int) for name in names):
            labels = [str(index) for index in range(max(int(name) for name in names) + 1)]
        else:
            labels = sorted(str(name) for name in names)
    indices = {name: match_label(name, labels) for name in names}
    unknown = sorted(str(name) for name, index in indices.items() if index is None)
    if unknown:
        raise DataError(
            f"{source} has classes that the labels do not have",
            found=f"{', '.join(map(repr, unknown[:3]))}" + (" …" if len(unknown) > 3 else ""),
            expected=f"one of {len(labels)} labels: {', '.join(labels[:3])} …",
            fix="rename the folders, correct the CSV, or give the right list with --labels",
        )
    return Dataset(
        tuple(Sample(path, indices[name]) for path, name in named), tuple(labels), str(source)
    )


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes: two files with one hash are the same image."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read", found=error.strerror or str(error), fix="check the file"
        ) from error


def _no_images(source: Path) -> DataError:
    return DataError(
        f"{source} holds no images",
        found="no file named " + ", ".join(sorted(IMAGE_SUFFIXES)[:4]) + " …",
        expected="a folder per class with images in it, or a CSV file",
        fix="check the path",
    )


def _not_a_dataset(source: Path, found: str) -> DataError:
    return DataError(
        f"{source} is not a data set",
        found=found,
        expected="a folder with one folder per class, or a CSV file",
        fix="check the path",
    )
