"""Lists of labelled images: a folder per class, or a CSV file.

Nothing is decoded here. A data set is a list of paths with class indices; reading, and
naming what cannot be read, happens where the pixels are used.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge_effnet.data.classes import read_classes
from edge_effnet.data.csv_data.files import SUFFIXES, read_csv
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.folders import Folder, LeftOut, Part, list_folder, take_part
from edge_effnet.data.labels import listed
from edge_effnet.errors import DataError
from edge_effnet.heads.kinds import Task
from edge_effnet.image.reading import IMAGE_SUFFIXES
from edge_effnet.plurals import counted, plural
from edge_effnet.spelling import nearest

_PACKED = frozenset((".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"))


def load_dataset(
    source: Path,
    *,
    labels: Sequence[str] | None = None,
    classes: int | None = None,
    task: Task = "classes",
    part: Part = "evaluation",
    flat: bool = False,
    labels_from: str | None = None,
) -> Dataset:
    """List a labelled data set.

    Args:
        source: a folder with one folder per class, or a CSV file with the columns ``file``
            (relative to the CSV) and ``class_index`` or ``label``; for several labels and for
            values see ``read_csv``. Of a folder that holds ``train`` and ``val``, one is taken.
        labels: the names that the model in use knows; class names are looked for among them.
            Without it, the names found are the labels, in sorted order.
        classes: width of the model's output, where it has no names: then the data must have as
            many, and their sorted order is taken for the model's, with a note that says so.
        task: what an image's answer is.
        part: whether the images are for evaluation or for training.
        flat: whether a folder of images without classes will do, which show agreement alone.
        labels_from: the file that the labels are from, where the user did not name it.

    Raises:
        DataError: nothing there, no images, one class only or the same labels everywhere, a class
            the labels lack, numbers that can be read in two ways, or data for another task.
    """
    if source.is_dir():
        source, line = take_part(source, part)
        folder = list_folder(source)
        if folder.flat and flat:
            return _flat(folder, line)
        if folder.flat:
            raise DataError(
                f"{source} does not say which class its images are",
                found=f"{counted(len(folder.loose), 'image')}, none in a folder of its class",
                expected="a folder per class with images in it, or a CSV file",
                fix=f"{_folder_above(source)}move the images of each class into a folder named "
                "after it",
            )
        if folder.inner is not None and task == "classes":
            raise DataError(
                f"{source} holds one folder, and in it those of the classes",
                found=folder.inner.name,
                expected="a folder per class",
                fix=f"give {folder.inner}",
            )
        dataset = _of_folders(folder, labels, classes, task, line, labels_from)
    elif source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            raise _not_a_dataset(source, f"a {source.suffix or 'nameless'} file")
        dataset = _of_csv(source, labels, classes, task)
    else:
        raise _not_a_dataset(source, _other_than_a_file(source))
    return _two_classes(dataset, task)


def load_images(source: Path, *, part: Part | None = "training") -> Dataset:
    """List images without needing their labels, as calibration does.

    Takes whatever ``load_dataset`` takes, one class too, and a flat folder of images.

    Args:
        part: which of ``train`` and ``val`` is taken; None takes all.

    Raises:
        DataError: nothing there, or no images.
    """
    if source.is_dir():
        source, line = take_part(source, part) if part else (source, None)
        folder = list_folder(source)
        return (
            _flat(folder, line) if folder.flat else _of_folders(folder, None, None, "classes", line)
        )
    if source.is_file() and source.suffix.lower() in SUFFIXES:
        return _of_any_csv(source)
    raise _not_a_dataset(source, _other_than_a_file(source))


def _flat(folder: Folder, line: str | None) -> Dataset:
    samples = tuple(Sample(path, None) for path in folder.loose)
    return Dataset(samples, (), str(folder.source), folder.left_out, (line,) if line else ())


def _two_classes(dataset: Dataset, task: Task) -> Dataset:
    """Refuse a data set on which a network that answers one and the same to everything is right.

    Of values their error still says something.
    """
    if task == "value" or len({sample.stratum for sample in dataset.samples}) > 1:
        return dataset
    source, counts = dataset.source, dataset.class_counts
    if task == "classes":
        raise DataError(
            f"{source} holds one class only, on which any accuracy is meaningless",
            found=f"{counted(len(dataset), 'image')}, all {next(iter(counts))!r}",
            expected="at least 2 classes",
            fix="add a folder for each class that the network must tell apart",
        )
    raise DataError(
        f"all images of {source} have the same labels, on which any accuracy is meaningless",
        found=f"{counted(len(dataset), 'image')}, all of {listed(tuple(counts)) or 'no label'}",
        expected="labels that are true on some images and not on others",
        fix="add images of other labels, or correct the file",
    )


def _of_folders(
    folder: Folder,
    labels: Sequence[str] | None,
    classes: int | None,
    task: Task,
    line: str | None,
    labels_from: str | None = None,
) -> Dataset:
    named = [(path, name) for name, paths in folder.classes.items() for path in paths]
    if not named:
        raise _no_images(folder.source, folder.left_out)
    if task == "value":
        raise DataError(
            f"{folder.source} has no values, and this model predicts a number",
            found="a folder per class",
            expected="a CSV file with the columns file and value",
            fix="give such a file, or, if its one number tells two classes apart, --head logits",
        )
    reading = read_classes(
        {name for _, name in named},
        folder.source,
        labels=labels,
        classes=classes,
        in_folders=True,
        labels_from=labels_from,
    )
    samples = tuple(
        Sample(path, reading.indices[name])
        if task == "classes"
        else Sample(path, None, labels=(reading.indices[name],))
        for path, name in named
    )
    notes = tuple(filter(None, (line, reading.note)))
    return Dataset(samples, reading.labels, str(folder.source), folder.left_out, notes)


def _of_csv(
    source: Path,
    labels: Sequence[str] | None,
    classes: int | None,
    task: Task,
) -> Dataset:
    rows = read_csv(source, labels=labels, task=task)
    if task == "value":
        told = zip(rows.paths, rows.values, strict=True)
        samples, twice = _once([Sample(path, None, value=value) for path, value in told], source)
        return Dataset(samples, tuple(labels or ()), str(source), notes=(*rows.notes, *twice))
    reading = read_classes(
        {name for names in rows.names for name in names},
        source,
        labels=labels,
        classes=classes,
        in_folders=False,
        order=rows.order,
    )
    indices = (tuple(sorted({reading.indices[name] for name in names})) for names in rows.names)
    samples, twice = _once(
        [
            Sample(path, found[0]) if task == "classes" else Sample(path, None, labels=found)
            for path, found in zip(rows.paths, indices, strict=True)
        ],
        source,
    )
    notes = (*rows.notes, *((reading.note,) if reading.note else ()), *twice)
    return Dataset(samples, reading.labels, str(source), notes=notes)


def _once(samples: Sequence[Sample], source: Path) -> tuple[tuple[Sample, ...], list[str]]:
    """Each file once, and a note where some stood in several rows.

    Raises:
        DataError: two rows say different things of one file.
    """
    first: dict[str, Sample] = {}
    for sample in samples:
        known = first.setdefault(os.path.normpath(sample.path), sample)
        if replace(known, path=sample.path) != sample:
            raise DataError(
                f"{source} contradicts itself about one image",
                found=f"rows that differ about {sample.path}",
                expected="one row for each image",
                fix="remove one of them; several labels stand in one cell, joined by |",
            )
    again = len(samples) - len(first)
    note = (
        f"{source}: {counted(again, 'row')} {plural(again, 'names', 'name')} an image that stands "
        "in another row; each image counts once"
    )
    return tuple(first.values()), [note] if again else []


def _of_any_csv(source: Path) -> Dataset:
    """Of a CSV of any task."""
    try:
        return _of_csv(source, None, None, "classes")
    except DataError:
        for task in _OTHER_TASKS:
            with contextlib.suppress(DataError):
                return _of_csv(source, None, None, task)
        raise


_OTHER_TASKS: tuple[Task, ...] = ("labels", "value")


def _no_images(source: Path, left_out: Sequence[LeftOut]) -> DataError:
    fixes = [one.fix for one in left_out if one.fix]
    return DataError(
        f"{source} holds no images",
        found="; ".join(one.line() for one in left_out if not one.fix)
        or ", ".join(f"{one.count} {one.kind}" for one in left_out)
        or "nothing that OpenCV reads",
        expected="a folder per class with images in it, or a CSV file",
        fix=fixes[0] if fixes else "check the path",
    )


def _other_than_a_file(source: Path) -> str:
    if source.is_file():
        return "a file of another kind"
    return "a pipe or a device" if source.exists() else "nothing there"


def _not_a_dataset(source: Path, found: str) -> DataError:
    packed = source.is_file() and source.suffix.lower() in _PACKED
    return DataError(
        f"{source} is not a data set{'' if source.exists() else _meant(source)}",
        found=found,
        expected="a folder with one folder per class, or a CSV file",
        fix="unpack it, and give the folder" if packed else "check the path",
    )


def _meant(source: Path) -> str:
    """``; did you mean flowers?`` where exactly one name beside it is near."""
    with contextlib.suppress(OSError):
        beside = [
            path.name
            for path in source.parent.iterdir()
            if path.is_dir() or path.suffix.lower() in SUFFIXES
        ]
        found = nearest(source.name, beside)
        if found and not nearest(source.name, [name for name in beside if name != found]):
            return f"; did you mean {source.parent / found}?"
    return ""


def _folder_above(source: Path) -> str:
    """The folder that was meant where this one is a class, as others beside it are."""
    here = source.resolve()
    with contextlib.suppress(OSError):
        for other in here.parent.iterdir():
            if other.is_dir() and other != here and any(map(_is_named_image, other.iterdir())):
                above = source.parent if source.name not in ("", "..") else source / ".."
                return f"give {above}, if the folders in it are the classes; or "
    return ""


def _is_named_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES
