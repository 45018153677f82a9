"""The pictures of a pruning run: labelled, unlabelled or drawn."""

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
from edge_effnet.data.folders import Part, both_parts
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.data.pipeline import (
    Photos,
    Pictures,
    evaluation_batches,
    load_photos,
    prepared,
    stored,
)
from edge_effnet.data.split import divide, without
from edge_effnet.data.trained_on import Steps, leave_out_trained, record, trained_on
from edge_effnet.errors import DataError
from edge_effnet.training.config import SIGNS, TrainConfig
from edge_effnet.training.data import (
    Lists,
    Material,
    StartStage,
    fingerprint,
    list_pictures,
    open_pictures,
)

Answerer = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""From pictures, N x side x side x 3, to logits, N x classes."""

FEWEST = 16  # pictures on either side, below which nothing can be measured


@dataclass(frozen=True)
class Study:
    """Pictures to learn from and to judge by.

    Attributes:
        labelled: whether ``material`` has true labels; where not, they are zeros until
            ``with_answers`` puts the network's own there.
        notices: what the user should know.
    """

    material: Material
    labelled: bool
    notices: tuple[str, ...] = ()

    @cached_property
    def images(self) -> dict[str, Any] | None:
        """What a card keeps of them, see ``seen.record``."""
        return record(self.material.lists.train, self.material.lists.val)


def open_study(
    config: PruneConfig,
    labels: Sequence[str] | None,
    *,
    classes: int,
    side: int,
    workers: int,
    stage: StartStage,
    steps: Steps = (),
) -> Study:
    """List and read the pictures of a run.

    Args:
        labels: of the network; None where nobody said: then the pictures' own, in order.
        classes: how many it tells.
        steps: of the network: pictures it was trained on do not judge where others can.

    Raises:
        DataError: nothing there, labels needed and not given, too few, or the same pictures
            on both sides.
    """
    if config.data == SIGNS:
        told = TrainConfig(data=SIGNS, seed=config.seed)
        material = open_pictures(list_pictures(told), told, side=side, workers=workers, stage=stage)
        return Study(material, labelled=True)
    source, val_source = Path(config.data).expanduser(), config.val
    if val_source is None and (parts := both_parts(source)):
        source, val_source = parts[0], str(parts[1])
    needed = config.recovery in ("labels", "both")
    dataset, unknown = _listed(source, labels, classes, "training", needed=needed)
    notices = dataset.lines()
    if val_source is None:
        known_by = leave_out_trained(dataset, steps)
        fit = len(known_by.dataset) >= FEWEST and known_by.is_evidence
        barred = trained_on(dataset, steps) if fit else None
        division = divide(dataset, config.val_share, config.seed, barred=barred)
        learned, judged = division.rest, division.evaluation
        notices += division.notices
    else:
        val_folder = Path(val_source).expanduser()
        other, theirs = _listed(val_folder, labels, classes, "evaluation", needed=False)
        first, *rest = other.lines()
        notices += [f"judged by {first}", *rest]
        kept = without(other, dataset)
        if len(kept) < len(other):
            notices.append(
                f"{len(other) - len(kept)} of {len(other)} pictures of {other.source} are learned "
                "from too (or are near-duplicates of such) and were left out of judging"
            )
        known_by = leave_out_trained(kept, steps)
        fit = len(known_by.dataset) >= FEWEST and known_by.is_evidence
        learned, judged = dataset, known_by.dataset if fit else kept
        unknown = unknown or theirs
    if known_by.trained:
        trained = f"the network was trained on {known_by.trained} of {known_by.images} pictures"
        trained += f" of {judged.source} (or on near-duplicates)"
        notices.insert(
            0,
            f"{trained}: those do not judge"
            if fit
            else f"no evidence: {trained}, and too few others can judge: give some with --val",
        )
    for part in (learned, judged):
        if len(part) < FEWEST:
            raise DataError(
                f"{part.source} has too few pictures to prune by",
                found=f"{len(part)} to {'learn from' if part is learned else 'judge by'}",
                expected=f"at least {FEWEST}; some hundreds recover well",
                fix="give more pictures",
            )
    if unknown:
        learned, judged = (_unlabelled(part) for part in (learned, judged))
        notices.append(
            f"no labels that the network knows in {dataset.source}: judged by agreement with the "
            f"whole network ({unknown})"
        )
    train, lost = load_photos(
        learned.samples,
        stored(side),
        workers=workers,
        strict=config.strict,
        advance=stage("reading pictures", len(learned)),
    )
    val, more = load_photos(
        judged.samples,
        prepared(side),
        workers=workers,
        strict=config.strict,
        advance=stage("reading those that judge", len(judged)),
    )
    names = tuple(labels) if labels else dataset.labels
    lists = Lists(dataset.source, names, learned, judged, fingerprint(learned, judged))
    return Study(Material(lists, train, val, (*lost, *more)), unknown is None, tuple(notices))


def with_answers(study: Study, teacher: Answerer, side: int, workers: int) -> Study:
    """Unlabelled pictures labelled by the network itself, so that accuracy is agreement."""
    if study.labelled:
        return study

    def answered(pictures: Pictures) -> Photos:
        assert isinstance(pictures, Photos)  # noqa: S101 (signs are labelled)
        said = np.concatenate(
            [
                teacher(images).argmax(axis=1)[: len(labels)]
                for images, labels in evaluation_batches(
                    pictures, side=side, batch_size=min(64, len(pictures)), workers=workers
                )
            ]
        )
        pairs = zip(pictures.samples, said.tolist(), strict=True)
        return replace(pictures, samples=tuple(Sample(s.path, int(label)) for s, label in pairs))

    material = study.material
    return replace(
        study,
        material=replace(material, train=answered(material.train), val=answered(material.val)),
    )


def sample(
    pictures: Pictures, count: int, side: int, seed: int, workers: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Some pictures through THE preprocessing, drawn by seed: (count x side x side x 3, labels)."""
    places = np.random.default_rng(seed).permutation(len(pictures))[:count]
    chosen = _Chosen(pictures, np.sort(places))
    images = [
        batch[: len(labels)]
        for batch, labels in evaluation_batches(
            chosen, side=side, batch_size=min(64, len(chosen)), workers=workers
        )
    ]
    return np.concatenate(images), chosen.labels


@dataclass(frozen=True)
class _Chosen:
    pictures: Pictures
    places: NDArray[np.int64]

    @property
    def labels(self) -> NDArray[np.int64]:
        return np.asarray(self.pictures.labels[self.places], np.int64)

    def __len__(self) -> int:
        return len(self.places)

    def picture(self, place: int, epoch: int) -> NDArray[np.uint8]:
        return self.pictures.picture(int(self.places[place]), epoch)


def _listed(
    source: Path, labels: Sequence[str] | None, classes: int, part: Part, *, needed: bool
) -> tuple[Dataset, DataError | None]:
    """The pictures, and why they have no labels that the network knows, where they have none."""
    try:
        return load_dataset(source, labels=labels, classes=classes, part=part), None
    except DataError as error:
        if needed:
            raise
        # Says what is wrong where there are no pictures at all.
        return load_images(source, part=part), error


def _unlabelled(dataset: Dataset) -> Dataset:
    return replace(dataset, samples=tuple(Sample(s.path, 0) for s in dataset.samples))
