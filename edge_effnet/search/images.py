"""The images of a search: to learn from, to choose on, and to confirm on.

Of the held-out images one half chooses (which epoch, which trial goes on, which point is found) and
the other half, which nothing was chosen on, confirms. Both are fixed once, in CSV files of the
search's folder, so that every trial has the same.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import divide
from edge_effnet.data.image_sources import (
    ImageSource,
    RenderedSigns,
    for_evaluation,
    read_image_files,
    render_once,
)
from edge_effnet.data.listing import load_dataset
from edge_effnet.data.signs.option import SIGNS
from edge_effnet.data.signs.table import LABELS
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.search.config import SearchConfig
from edge_effnet.stages import StartStage
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.lists import list_images

TRAIN_FILE, CHOOSE_FILE, CONFIRM_FILE = IMAGE_FILES = ("train.csv", "choose.csv", "confirm.csv")


@dataclass(frozen=True)
class SearchImages:
    """Attributes:
    train, choose, confirm: how many of each.
    folder: of the CSV files; None for signs, which are rendered.
    notices: what the user should know.
    files: the CSV files that are not written yet, by name.
    """

    classes: int
    train: int
    choose: int
    confirm: int
    folder: Path | None
    notices: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def learned_from(config: SearchConfig, folder: Path) -> tuple[str, str | None]:
    """What a trial learns from and is validated on, as ``train --data`` and ``--val`` take it.

    Args:
        folder: of the search, absolute.
    """
    if config.on_signs:
        return SIGNS, None
    return str(folder / TRAIN_FILE), str(folder / CHOOSE_FILE)


def divide_images(config: SearchConfig, folder: Path, stage: StartStage) -> SearchImages:
    """Decide what every image is for; nothing is written yet.

    Raises:
        DataError: as ``training.data.lists.list_images``, or too few held-out images to halve.
    """
    if config.on_signs:
        return _signs(config)
    lists = list_images(
        TrainConfig(
            data=config.data,
            val=config.val,
            val_share=config.val_share,
            seed=config.seed,
            weights="random",
        ),
        stage=stage,
    )
    assert lists.train is not None and lists.val is not None  # noqa: S101, PT018 (no signs)
    halves = divide(lists.val, 0.5, config.seed)
    sides = (lists.train, halves.rest, halves.evaluation)
    if min(map(len, sides)) == 0:
        raise DataError(
            "too few images are held out to choose on one half and confirm on the other",
            found=str(len(lists.val)),
            expected="2 or more of each class; some hundred show something",
            fix="give more with --val, or a larger --val-share",
        )
    files = {name: _as_csv(side) for name, side in zip(IMAGE_FILES, sides, strict=True)}
    train, choose, confirm = map(len, sides)
    return SearchImages(
        len(lists.labels), train, choose, confirm, folder.resolve(), lists.notices, files
    )


def reopen_images(config: SearchConfig, folder: Path) -> SearchImages:
    """The same from the files of a search that goes on.

    Raises:
        DataError: a file or an image is gone.
    """
    if config.on_signs:
        return _signs(config)
    train = load_dataset(folder / TRAIN_FILE)
    choose, confirm = (load_dataset(folder / name, labels=train.labels) for name in IMAGE_FILES[1:])
    return SearchImages(len(train.labels), len(train), len(choose), len(confirm), folder.resolve())


def confirming(
    images: SearchImages, config: SearchConfig, side: int, *, workers: int, stage: StartStage
) -> ImageSource:
    """The images that nothing was chosen on, as an input of ``side`` pixels sees them."""
    if images.folder is None:
        rendered = math.ceil(side / Preprocess(side, side).crop)
        signs = RenderedSigns(images.confirm, images.classes, rendered, config.seed, "test")
        advance = stage("rendering signs to confirm on", images.confirm)
        return render_once(signs, for_evaluation(side), workers=workers, advance=advance)
    train = load_dataset(images.folder / TRAIN_FILE)
    dataset = load_dataset(images.folder / CONFIRM_FILE, labels=train.labels)
    return read_image_files(dataset.samples, for_evaluation(side), workers=workers)[0]


def _signs(config: SearchConfig) -> SearchImages:
    return SearchImages(
        len(LABELS), config.signs_train, config.signs_val, config.signs_val, folder=None
    )


def _as_csv(dataset: Dataset) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("file", "label"))
    for sample in dataset.samples:
        assert sample.label is not None  # noqa: S101 (each has a class)
        path = str(sample.path.resolve())
        if not path.isprintable():  # lone surrogates too: no UTF-8
            raise DataError(
                f"{path} cannot be listed in a CSV file",
                found="bytes in its name that are no text",
                fix="rename it",
            )
        rows.writerow((path, dataset.labels[sample.label]))
    return text.getvalue().encode()
