"""The images of a training run: which are learned from, which are evaluated on, and what is wrong
with them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.arrays import Float32Array, bincount
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.kept_sides import divide_again
from edge_effnet.data.division.roles import assign_roles, source_paths
from edge_effnet.data.division.split import imbalance_warning, names
from edge_effnet.data.division.trained_on import Steps, records
from edge_effnet.data.image_sources import (
    CACHE_BYTES,
    ImageFiles,
    ImageSource,
    RenderedSigns,
    Resize,
    Unreadable,
    WithUnlabelled,
    for_evaluation,
    for_training,
    read_image_files,
    render_once,
)
from edge_effnet.data.labels import match_label
from edge_effnet.data.listing import load_dataset
from edge_effnet.data.signs.option import SIGNS
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.stages import StartStage, no_progress
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.enough import refuse_empty_folders, refuse_few, refuse_few_to_learn
from edge_effnet.training.data.unlabelled import list_unlabelled, together


@dataclass(frozen=True)
class ImageLists:
    """What to read, before anything is decoded; ``train`` and ``val`` share their labels.

    Attributes:
        source: for people.
        labels: class names in index order.
        train, val: None for ``signs``, which are rendered.
        fingerprint: hexadecimal; differs where names, sizes or classes of the images do.
        notices: what the user should know.
        unlabelled: images that a teacher alone teaches; None where there are none.
    """

    source: str
    labels: tuple[str, ...]
    train: Dataset | None
    val: Dataset | None
    fingerprint: str
    notices: tuple[str, ...] = ()
    unlabelled: Dataset | None = None

    @property
    def learned_from(self) -> Dataset | None:
        """With and without labels; None for ``signs``."""
        return together(self.train, self.unlabelled)

    def left_out_json(self) -> list[dict[str, Any]]:
        """What lies beside the images and is none, on either side."""
        sides = [side.left_out for side in (self.train, self.val) if side is not None]
        return [one.to_json() for one in dict.fromkeys(chain.from_iterable(sides))]


@dataclass(frozen=True)
class TrainingImages:
    """Images that can be asked for.

    Attributes:
        skipped: images left out because they cannot be read.
        unlabelled: what a teacher alone teaches.
    """

    lists: ImageLists
    train: ImageSource
    val: ImageSource
    skipped: tuple[Unreadable, ...] = ()
    unlabelled: ImageSource | None = None

    @property
    def learned_from(self) -> ImageSource:
        """With and without labels."""
        if self.unlabelled is None:
            return self.train
        return WithUnlabelled(self.train, self.unlabelled)

    @property
    def balancing_weights(self) -> Float32Array:
        """A weight per class that makes every class count the same; the mean over images is 1."""
        counts = bincount(self.train.labels, minlength=len(self.lists.labels))
        return np.asarray(counts.sum() / (len(counts) * np.maximum(counts, 1)), np.float32)


def list_images(
    config: TrainConfig,
    steps: Steps = (),
    *,
    known_labels: Sequence[str] | None = None,
    stage: StartStage = no_progress,
) -> ImageLists:
    """Decide which images are learned from and which are evaluated on.

    Args:
        steps: of the weights the run starts from: see ``assign_roles``.
        known_labels: the classes of the run that this one goes on from, whose images keep their
            side.

    Raises:
        DataError: no data set, no images of a class of the run before, one class, an empty class
            folder, too few images of a class (see ``enough``), classes of ``--val`` that the data
            lacks, or the same images on both sides.
    """
    if config.on_signs:
        return _signs_lists(config)
    source, val_source = source_paths(config.data, config.val)
    dataset = load_dataset(source, part="training")
    if known_labels is not None:
        dataset = _known_classes_first(dataset, source, known_labels, str(config.previous))
    refuse_empty_folders(Path(dataset.source))
    validation = load_dataset(val_source, labels=dataset.labels) if val_source else None
    if known_labels is None:
        refuse_few(dataset, config.val_share if validation is None else None)
    images = len(dataset) + (len(validation) if validation and known_labels else 0)
    how: dict[str, Any] = {
        "share": config.val_share,
        "seed": config.seed,
        "advance": stage("looking for near-duplicates", images),
    }
    if known_labels is None:
        roles = assign_roles(dataset, validation, steps=steps, **how)
    else:
        run = str(config.previous)
        roles = divide_again(dataset, validation, records(steps), run=run, **how)
    refuse_few_to_learn(roles.training, config.previous)
    notices = [*dataset.lines(), *filter(None, (imbalance_warning(dataset),))]
    notices += roles.notices
    lacking = [name for name in dataset.labels if name not in roles.evaluation.class_counts]
    if lacking:
        notices.append(
            f"{roles.evaluation.source} has no images of {names(lacking)} to validate on: nothing "
            "is known about them"
        )
    unlabelled = None
    if config.unlabelled is not None:
        folder = Path(config.unlabelled).expanduser()
        unlabelled, lines = list_unlabelled(folder, roles.training, roles.evaluation)
        notices += lines
    more = () if unlabelled is None else (unlabelled,)
    return ImageLists(
        source=dataset.source,
        labels=dataset.labels,
        train=roles.training,
        val=roles.evaluation,
        fingerprint=fingerprint(roles.training, roles.evaluation, *more),
        notices=tuple(notices),
        unlabelled=unlabelled,
    )


def _known_classes_first(found: Dataset, source: Path, known: Sequence[str], run: str) -> Dataset:
    """The data set with the classes of an earlier run first, in their order, and then new ones."""
    new = [name for name in found.labels if match_label(name, known) is None]
    dataset = load_dataset(source, labels=(*known, *new), part="training")
    counts = dataset.class_counts
    if lacking := [name for name in known if name not in counts]:
        raise DataError(
            f"{source} has no images of classes that {run} knows",
            found=names(lacking),
            expected="some of each: without them the network would forget what they are",
            fix="add their images (those it learned from will do), or start a run without these "
            f"classes: --weights {Path(run) / 'best.h5'} in the place of --from",
        )
    return dataset


def open_images(
    lists: ImageLists, config: TrainConfig, *, side: int, workers: int, stage: StartStage
) -> TrainingImages:
    """Read all images once, or prepare to render them.

    Args:
        side: of the network's input, in pixels.

    Raises:
        DataError: unreadable images with ``strict``, or too few readable ones.
    """
    if lists.train is None or lists.val is None:
        return _open_signs(lists, config, side, workers, stage)
    images = read_lists(lists, side=side, workers=workers, strict=config.strict, stage=stage)
    if images.skipped:
        unreadable = {image.path for image in images.skipped}
        readable = tuple(one for one in lists.train.samples if one.path not in unreadable)
        refuse_few_to_learn(replace(lists.train, samples=readable), config.previous)
    return images


def read_lists(
    lists: ImageLists, *, side: int, workers: int, strict: bool, stage: StartStage
) -> TrainingImages:
    """Read the image files of two lists once.

    Raises:
        DataError: an unreadable image (``strict``), or none that can be read.
    """

    def read(dataset: Dataset | None, resize: Resize, name: str) -> ImageFiles:
        samples = dataset.samples if dataset is not None else ()
        files, unreadable = read_image_files(
            samples,
            resize,
            workers=workers,
            strict=strict,
            cache_bytes=CACHE_BYTES // (2 if lists.unlabelled is None else 3),
            advance=stage(name, len(samples)),
        )
        skipped.extend(unreadable)
        return files

    skipped: list[Unreadable] = []
    train = read(lists.train, for_training(side), "reading images")
    val = read(lists.val, for_evaluation(side), "reading validation images")
    unlabelled = None
    if lists.unlabelled is not None:
        unlabelled = read(lists.unlabelled, for_training(side), "reading images without labels")
    return TrainingImages(lists, train, val, tuple(skipped), unlabelled)


def _open_signs(
    lists: ImageLists, config: TrainConfig, side: int, workers: int, stage: StartStage
) -> TrainingImages:
    # THE preprocessing keeps 0.9 of an image's side: render so large that it resizes nothing.
    rendered = math.ceil(side / Preprocess(side, side).crop)

    def signs(count: int, split: str) -> RenderedSigns:
        return RenderedSigns(count, len(lists.labels), rendered, config.seed, split)

    advance = stage("rendering validation signs", config.signs_val)
    val = render_once(
        signs(config.signs_val, "val"), for_evaluation(side), workers=workers, advance=advance
    )
    return TrainingImages(lists, signs(config.signs_train, "train"), val)


def _signs_lists(config: TrainConfig) -> ImageLists:
    from edge_effnet.data.signs.table import LABELS

    text = f"signs {LABELS} {config.signs_train} {config.signs_val}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return ImageLists(SIGNS, LABELS, train=None, val=None, fingerprint=digest)


def fingerprint(train: Dataset, *others: Dataset) -> str:
    """Of names, sizes and classes: cheap, and enough to notice that the data changed."""
    digest = hashlib.sha256(repr(train.labels).encode())
    for part in (train, *others):
        for sample in part.samples:
            digest.update(_line(sample))
        digest.update(b"\n")
    return digest.hexdigest()


def fingerprint_lines(part: Dataset) -> list[str]:
    """What the fingerprint is made of, an image each: name, bytes and class, with tabs between."""
    return [_line(sample).decode(errors="replace").rstrip("\n") for sample in part.samples]


def _line(sample: Sample) -> bytes:
    # The last two parts of the path: a data set that was moved as a whole is the same one.
    name = "/".join(sample.path.parts[-2:])
    return f"{name}\t{sample.path.stat().st_size}\t{sample.label}\n".encode(
        "utf-8", "surrogateescape"
    )
