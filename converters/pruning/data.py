"""The images of a pruning run: labelled, unlabelled or rendered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.pruning.config import PruneConfig
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.roles import assign_roles, source_paths
from edge_effnet.data.division.trained_on import Steps, record
from edge_effnet.data.folders import Part
from edge_effnet.data.image_sources import ImageFiles, ImageSource, Subset
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.data.pipeline import answers_of
from edge_effnet.data.signs.option import SIGNS
from edge_effnet.errors import DataError
from edge_effnet.stages import StartStage
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.lists import (
    ImageLists,
    TrainingImages,
    fingerprint,
    list_images,
    open_images,
    read_lists,
)

Answerer = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""From images, N x side x side x 3, to logits, N x classes."""

FEWEST = 16  # images on either side, below which nothing can be measured


@dataclass(frozen=True)
class PruningImages:
    """Images to learn from and to evaluate on.

    Attributes:
        labelled: whether ``images`` have true labels; where not, they are zeros until
            ``with_answers`` puts the network's own there.
        notices: what the user should know.
    """

    images: TrainingImages
    labelled: bool
    notices: tuple[str, ...] = ()

    @cached_property
    def record(self) -> dict[str, Any] | None:
        """What a card keeps of them, see ``trained_on.record``."""
        return record(self.images.lists.train, self.images.lists.val)


def open_pruning_images(
    config: PruneConfig,
    labels: Sequence[str] | None,
    *,
    classes: int,
    side: int,
    workers: int,
    stage: StartStage,
    steps: Steps = (),
) -> PruningImages:
    """List and read the images of a run.

    Args:
        labels: of the network; None where nobody said: then the images' own, in order.
        classes: how many it tells.
        steps: of the network, see ``assign_roles``.

    Raises:
        DataError: nothing there, labels needed and not given, too few, or the same images on
            both sides.
    """
    if config.data == SIGNS:
        signs = TrainConfig(data=SIGNS, seed=config.seed)
        images = open_images(list_images(signs), signs, side=side, workers=workers, stage=stage)
        return PruningImages(images, labelled=True)
    source, val_source = source_paths(config.data, config.val)
    needed = config.recovery in ("labels", "both")
    dataset, unknown = _listed(source, labels, classes, "training", needed=needed)
    validation = None
    if val_source is not None:
        validation, theirs = _listed(val_source, labels, classes, "evaluation", needed=False)
        unknown = unknown or theirs
    roles = assign_roles(
        dataset,
        validation,
        share=config.val_share,
        seed=config.seed,
        steps=steps,
        fewest=FEWEST,
        advance=stage("looking for near-duplicates", len(dataset)),
    )
    training, evaluation, notices = roles.training, roles.evaluation, dataset.lines()
    notices += roles.notices
    for part in (training, evaluation):
        if len(part) < FEWEST:
            raise DataError(
                f"{part.source} has too few images to prune with",
                found=f"{len(part)} to {'learn from' if part is training else 'validate on'}",
                expected=f"at least {FEWEST}; some hundreds fine-tune well",
                fix="give more images",
            )
    if unknown:
        training, evaluation = (_unlabelled(part) for part in (training, evaluation))
        notices.append(
            f"no labels that the network knows in {dataset.source}: evaluated by agreement with "
            f"the unpruned network ({unknown})"
        )
    lists = ImageLists(
        dataset.source,
        tuple(labels) if labels else dataset.labels,
        training,
        evaluation,
        fingerprint(training, evaluation),
    )
    images = read_lists(lists, side=side, workers=workers, strict=config.strict, stage=stage)
    return PruningImages(images, unknown is None, tuple(notices))


def with_answers(data: PruningImages, teacher: Answerer, side: int, workers: int) -> PruningImages:
    """Unlabelled images labelled by the network itself, so that accuracy is agreement."""
    if data.labelled:
        return data

    def answered(source: ImageSource) -> ImageFiles:
        assert isinstance(source, ImageFiles)  # noqa: S101 (signs are labelled)
        said, _ = answers_of(
            lambda images: teacher(images).argmax(axis=1), source, side=side, workers=workers
        )
        pairs = zip(source.samples, said.tolist(), strict=True)
        return replace(source, samples=tuple(Sample(s.path, int(label)) for s, label in pairs))

    images = data.images
    labelled = replace(images, train=answered(images.train), val=answered(images.val))
    return replace(data, images=labelled)


def sample(
    source: ImageSource, count: int, side: int, seed: int, workers: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Some images through THE preprocessing, drawn by seed: (count x side x side x 3, labels)."""
    indices = np.random.default_rng(seed).permutation(len(source))[:count]
    chosen = Subset(source, np.sort(indices))
    return answers_of(lambda images: images, chosen, side=side, workers=workers)


def _listed(
    source: Path, labels: Sequence[str] | None, classes: int, part: Part, *, needed: bool
) -> tuple[Dataset, DataError | None]:
    """The images, and why they have no labels that the network knows, where they have none."""
    try:
        return load_dataset(source, labels=labels, classes=classes, part=part), None
    except DataError as error:
        if needed:
            raise
        # Says what is wrong where there are no images at all.
        return load_images(source, part=part), error


def _unlabelled(dataset: Dataset) -> Dataset:
    return replace(dataset, samples=tuple(Sample(s.path, 0) for s in dataset.samples))
