"""Which pictures are learned and which are held out, and what is wrong with them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.folders import both_parts, list_folder
from edge_effnet.data.listing import load_dataset
from edge_effnet.data.pipeline import (
    CACHE_BYTES,
    DrawnSigns,
    Photos,
    Pictures,
    Unreadable,
    load_photos,
    prepared,
    stored,
)
from edge_effnet.data.split import divide, imbalance_warning, leakage, names
from edge_effnet.data.trained_on import Steps, trained_on
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.training.config import SIGNS, TrainConfig

StartStage = Callable[[str, int | None], Callable[[int], None]]
"""Told the name of a stage and its number of steps (None: unknown); answers with the function
to call with the steps done."""

MIN_TRAIN_PER_CLASS = 4


@dataclass(frozen=True)
class Lists:
    """What to read, before anything is decoded; ``train`` and ``val`` share their labels.

    Attributes:
        source: for people.
        labels: class names in index order.
        train, val: None for ``signs``, which are drawn.
        fingerprint: hexadecimal; differs where names, sizes or classes of the images do.
        notices: what the user should know.
    """

    source: str
    labels: tuple[str, ...]
    train: Dataset | None
    val: Dataset | None
    fingerprint: str
    notices: tuple[str, ...] = ()

    def left_out_json(self) -> list[dict[str, Any]]:
        """What lies beside the images and is none, on either side."""
        sides = [side.left_out for side in (self.train, self.val) if side is not None]
        return [one.to_json() for one in dict.fromkeys(chain.from_iterable(sides))]


@dataclass(frozen=True)
class Material:
    """Pictures, ready to be asked for.

    Attributes:
        skipped: images left out because they cannot be read.
    """

    lists: Lists
    train: Pictures
    val: Pictures
    skipped: tuple[Unreadable, ...] = ()

    @property
    def class_counts(self) -> NDArray[np.int64]:
        return np.bincount(self.train.labels, minlength=len(self.lists.labels))


def _silent(_name: str, _steps: int | None) -> Callable[[int], None]:
    return lambda _done: None


def list_pictures(config: TrainConfig, steps: Steps = (), *, stage: StartStage = _silent) -> Lists:
    """Decide what is learned and what is held out.

    Args:
        steps: of the weights the run starts from: images they were trained on are not held out
            where others can be.

    Raises:
        DataError: no data set, one class, an empty class folder, too few images of a class,
            classes of ``--val`` that the data lacks, or the same images on both sides.
    """
    if config.on_signs:
        return _signs_lists(config)
    source, val_source = Path(config.data).expanduser(), config.val
    if val_source is None and (parts := both_parts(source)):
        source, val_source = parts[0], str(parts[1])
    dataset = load_dataset(source, part="training")
    _refuse_empty_folders(Path(dataset.source))
    notices = [*dataset.lines(), *filter(None, (imbalance_warning(dataset),))]
    if val_source is None:
        _refuse_few(dataset, config.val_share)
        advance = stage("looking for near-duplicates", len(dataset))
        known = trained_on(dataset, steps)
        if known is not None and known.all():
            notices.append(
                f"the weights were trained on all images of {dataset.source}: validation on them "
                "flatters"
            )
            known = None
        division = divide(dataset, config.val_share, config.seed, barred=known, advance=advance)
        train, val = division.rest, division.evaluation
        notices += division.notices
    else:
        train, val, lines = _separate(dataset, Path(val_source).expanduser(), steps)
        first, *more = val.lines()
        notices += [f"validated on {first}", *more, *lines]
        _refuse_few(train, None)
    lacking = [name for name in train.labels if name not in val.class_counts]
    if lacking:
        notices.append(
            f"{val.source} has no images of {names(lacking)} to validate by: nothing is known "
            "about them"
        )
    return Lists(
        source=dataset.source,
        labels=dataset.labels,
        train=train,
        val=val,
        fingerprint=fingerprint(train, val),
        notices=tuple(notices),
    )


def open_pictures(
    lists: Lists, config: TrainConfig, *, side: int, workers: int, stage: StartStage
) -> Material:
    """Read all images once, or prepare to draw them.

    Args:
        side: of the network's input, in pixels.

    Raises:
        DataError: unreadable images with ``strict``, or too few readable ones.
    """
    if lists.train is None or lists.val is None:
        # THE preprocessing keeps 0.9 of a picture's side: draw so large that it resizes nothing.
        drawn = math.ceil(side / Preprocess(side, side).crop)
        classes = len(lists.labels)
        return Material(
            lists,
            train=DrawnSigns(config.signs_train, classes, drawn, config.seed, "train"),
            val=_drawn_once(
                DrawnSigns(config.signs_val, classes, drawn, config.seed, "val"),
                side,
                workers,
                stage,
            ),
        )
    train, skipped = _read(lists.train, stored(side), "reading images", config, workers, stage)
    val, more = _read(lists.val, prepared(side), "reading validation", config, workers, stage)
    if skipped:
        readable = replace(lists.train, samples=train.samples)
        _refuse_few(readable, None)
    return Material(lists, train, val, (*skipped, *more))


def _read(
    dataset: Dataset,
    shrink: Callable[..., NDArray[np.uint8]],
    name: str,
    config: TrainConfig,
    workers: int,
    stage: StartStage,
) -> tuple[Photos, list[Unreadable]]:
    return load_photos(
        dataset.samples,
        shrink,
        workers=workers,
        strict=config.strict,
        cache_bytes=CACHE_BYTES // 2,
        advance=stage(name, len(dataset)),
    )


@dataclass(frozen=True)
class _Kept:
    """Pictures in memory."""

    images: tuple[NDArray[np.uint8], ...]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)

    def picture(self, place: int, epoch: int) -> NDArray[np.uint8]:  # noqa: ARG002
        return self.images[place]


def _drawn_once(signs: DrawnSigns, side: int, workers: int, stage: StartStage) -> Pictures:
    """Validation signs stay the same: draw them once."""
    from edge_effnet.data.pipeline import ahead

    advance, shrink = stage("drawing validation signs", len(signs)), prepared(side)
    images: list[NDArray[np.uint8]] = []
    for image in ahead(lambda place: shrink(signs.picture(place, 0)), range(len(signs)), workers):
        images.append(image)
        advance(len(images))
    return _Kept(tuple(images), signs.labels)


def _signs_lists(config: TrainConfig) -> Lists:
    from edge_effnet.data.signs.table import LABELS

    text = f"signs {LABELS} {config.signs_train} {config.signs_val}"
    return Lists(
        source=SIGNS,
        labels=LABELS,
        train=None,
        val=None,
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
    )


def _refuse_empty_folders(source: Path) -> None:
    """A class folder without images is a mistake in the data, not a class to leave out."""
    empty = list_folder(source).empty if source.is_dir() else []
    if empty:
        raise DataError(
            f"{source} has class folders without images",
            found=names(empty),
            expected=f"at least {MIN_TRAIN_PER_CLASS + 1} images in each",
            fix="add images, or remove the folder",
        )


def _refuse_few(dataset: Dataset, val_share: float | None) -> None:
    """Every class needs some images to learn from, and one more to be judged by."""
    needed = MIN_TRAIN_PER_CLASS
    if val_share is not None:
        # divide() holds out so many of n different pictures.
        while needed - max(1, int(needed * val_share + 0.5)) < MIN_TRAIN_PER_CLASS:
            needed += 1
    counts = dataset.class_counts
    few = [name for name in dataset.labels if counts.get(name, 0) < needed]
    if few:
        shown = [f"{counts.get(name, 0)} of {name!r}" for name in few[:3]]
        raise DataError(
            f"{dataset.source} has too few images",
            found=", ".join(shown) + (f" and {len(few) - 3} classes more" if len(few) > 3 else ""),
            expected=f"at least {needed} readable ones per class ({MIN_TRAIN_PER_CLASS} to learn "
            "from, the rest to validate); 50 or more give useful accuracy",
            fix="add images, or remove the class",
        )


def _separate(
    dataset: Dataset, val_source: Path, steps: Steps
) -> tuple[Dataset, Dataset, list[str]]:
    """Training and validation from two sources, without images that stand in both."""
    same = "--data and --val are the same images, so validation would prove nothing"
    fix = "give other images, or leave --val out: a share of --data is then held out"
    if val_source.exists() and val_source.samefile(dataset.source):
        raise DataError(same, found=str(val_source), fix=fix)
    val, lines = load_dataset(val_source, labels=dataset.labels), []
    pairs = leakage(dataset, val)
    shared = {path for _, path in pairs}
    if pairs and len(shared) == len(val):
        raise DataError(
            same, found=f"all {len(val)} images of {val.source} stand in {dataset.source}", fix=fix
        )
    if pairs:
        one, other = pairs[0]
        lines.append(
            f"{len(shared)} of {len(val)} validation images stand in the training data too and "
            f"were left out of validation (first: {other} = {one})"
        )
        val = replace(val, samples=tuple(s for s in val.samples if s.path not in shared))
    known = trained_on(val, steps)
    if known is not None:
        lines.append(
            f"the weights were trained on {int(known.sum())} of {len(val)} validation images"
            + (": validation flatters" if known.all() else ", which were left out of validation")
        )
        if not known.all():
            pairs_of = zip(val.samples, known, strict=True)
            val = replace(val, samples=tuple(sample for sample, seen in pairs_of if not seen))
    return dataset, val, lines


def fingerprint(train: Dataset, val: Dataset) -> str:
    """Of names, sizes and classes: cheap, and enough to notice that the data changed."""
    digest = hashlib.sha256(repr(train.labels).encode())
    for part in (train, val):
        for sample in part.samples:
            digest.update(_line(sample))
        digest.update(b"\n")
    return digest.hexdigest()


def _line(sample: Sample) -> bytes:
    # The last two parts of the path: a data set that was moved as a whole is the same one.
    name = "/".join(sample.path.parts[-2:])
    return f"{name}\t{sample.path.stat().st_size}\t{sample.label}\n".encode()
