"""Run models over a data set, on all cores of this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.cluster.tasks import MapShares
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.labels import match_label
from edge_effnet.errors import DataError
from edge_effnet.files.read import content_hash
from edge_effnet.heads.head import Head
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.metrics import HashedFile, Predictions
from edge_effnet.plurals import none_can
from edge_effnet.runtime.classifier import Classifier, open_classifier
from edge_effnet.runtime.evaluating.scoring import ScoreRows, score_images
from edge_effnet.runtime.evaluating.shares import score_shares
from edge_effnet.stages import OnProgress
from edge_effnet.system.cores import available_cores


def predict(
    model: Path,
    dataset: Dataset,
    *,
    labels: Sequence[str] | None = None,
    preprocess: Preprocess | str | None = None,
    head: HeadChoice | None = None,
    workers: int | None = None,
    strict: bool = False,
    progress: OnProgress | None = None,
) -> Predictions:
    """Predict a whole data set with one model; see ``predict_many``."""
    return predict_many(
        [model],
        dataset,
        labels=labels,
        preprocess=preprocess,
        head=head,
        workers=workers,
        strict=strict,
        progress=progress,
    )[0]


def predict_many(
    models: Sequence[Path],
    dataset: Dataset,
    *,
    labels: Sequence[str] | None = None,
    preprocess: Preprocess | str | Sequence[Preprocess] | None = None,
    head: HeadChoice | None = None,
    workers: int | None = None,
    strict: bool = False,
    progress: OnProgress | None = None,
    map_shares: MapShares | None = None,
) -> list[Predictions]:
    """Predict a whole data set with several models, decoding each image once.

    Args:
        labels, head: for every model, where the file does not say or says wrong.
        preprocess: the same, for every model or one for each.
        workers: threads; by default the cores this process may use.
        strict: refuse the first image that cannot be read instead of skipping it.
        progress: called from the caller's own thread with the images done and all of them.
        map_shares: the images are shared out with it, ``workers`` or not; what comes out is the
            same.

    Returns:
        One for each model, all over the same images in the data set's order. Images that
        cannot be read are missing from all of them and named in ``skipped``.

    Raises:
        ModelError: a model cannot be opened, or gives scores that are not numbers.
        DataError: an unreadable image (``strict``), no readable image at all, or a class of
            the data set that a model does not know.
        EdgeEffnetError: a worker of a cluster differs from this machine.
    """
    if not len(dataset):
        raise DataError(f"{dataset.source} holds no images", fix="check the path")
    count = max(1, min(workers or available_cores(), len(dataset)))
    ways: Sequence[Preprocess | str | None]
    if preprocess is None or isinstance(preprocess, (str, Preprocess)):
        ways = [preprocess] * len(models)
    else:
        ways = preprocess

    def open_all() -> list[Classifier]:
        return [
            open_classifier(path, labels=labels, preprocess=how, head=head)
            for path, how in zip(models, ways, strict=True)
        ]

    # The first ones answer all questions about labels before the others cost time.
    first = open_all()
    truths = [true_answers(dataset, one.labels, one.head, one.path.name) for one in first]
    rows = [ScoreRows.of(one, len(dataset)) for one in first]
    if map_shares is not None:
        skipped = score_shares(
            map_shares, first, dataset, rows, head=head, strict=strict, progress=progress
        )
    else:
        opened = [first, *(open_all() for _ in range(count - 1))]
        skipped = score_images(opened, dataset, rows, strict=strict, progress=progress)

    kept = np.array([index for index in range(len(dataset)) if index not in skipped])
    if not kept.size:
        raise DataError(
            f"{dataset.source}: {none_can(len(dataset), 'image')} be read",
            found=next(iter(skipped.values())).reason,
            fix="replace the images",
        )
    paths = tuple(dataset.samples[index].path for index in kept)
    return [
        Predictions(
            scores=found.scores[kept] if skipped else found.scores,
            truth=None if truth is None else truth[kept],
            paths=paths,
            labels=one.labels,
            model=HashedFile(one.path, content_hash(one.path), one.path.stat().st_size),
            skipped=tuple(skipped[index] for index in sorted(skipped)),
            head=one.head,
            similarity=None if one.unknown is None else found.similarity[kept],
            rule=one.unknown,
        )
        for one, found, truth in zip(first, rows, truths, strict=True)
    ]


def true_answers(
    dataset: Dataset, labels: tuple[str, ...], head: Head, name: str
) -> NDArray[Any] | None:
    """What is true of each image, as the head's task asks for it; None where any is not known.

    Args:
        labels: of the model; the data set's classes are found among them by name.
        name: of the model, for errors.

    Returns:
        int64 (images,) indices of classes, bool (images, labels), or float64 (images, 1).

    Raises:
        DataError: a class of the data set is not among the labels, or the data set says
            something else than the head asks for.
    """
    samples = dataset.samples
    if head.task == "value":
        values = [sample.value for sample in samples if sample.value is not None]
        if len(values) < len(samples):
            return None
        _refuse_several_values(head, name)
        return np.array(values, np.float64)[:, None]
    chosen = [
        sample.labels
        if head.task == "labels"
        else None
        if sample.label is None
        else (sample.label,)
        for sample in samples
    ]
    known = [indices for indices in chosen if indices is not None]
    if len(known) < len(samples):
        return None
    targets = _targets(dataset, {index for indices in known for index in indices}, labels, name)
    if head.task == "classes":
        return np.array([targets[index] for (index,) in known], np.int64)
    truth = np.zeros((len(samples), len(labels)), np.bool_)
    for row, indices in zip(truth, known, strict=True):
        row[[targets[index] for index in indices]] = True
    return truth


def _refuse_several_values(head: Head, name: str) -> None:
    if head.outputs > 1:
        raise DataError(
            f"the data says one value for each image and {name} gives {head.outputs}",
            expected="a model with one output",
            fix="compare it without labels, or evaluate each output alone",
        )


def _targets(
    dataset: Dataset, used: set[int], labels: tuple[str, ...], name: str
) -> dict[int, int]:
    """Where each class of the data set stands among the model's labels."""
    numbered = dataset.labels == tuple(map(str, range(len(dataset.labels))))
    targets = {
        label: label
        if dataset.labels == labels
        else match_label(label if numbered else dataset.labels[label], labels)
        for label in used
    }
    lacking = sorted(dataset.labels[label] for label, index in targets.items() if index is None)
    if lacking:
        raise DataError(
            f"{dataset.source} has classes that {name} does not know",
            found=", ".join(map(repr, lacking[:3])) + (" …" if len(lacking) > 3 else ""),
            expected=f"one of its {len(labels)} labels: {', '.join(labels[:3])} …",
            fix="rename the classes of the data set, or give the model's own list with --labels",
        )
    return {label: index for label, index in targets.items() if index is not None}
