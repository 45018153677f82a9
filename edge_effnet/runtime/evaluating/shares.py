"""Run models over images in shares, each on any machine that sees the same files.

A worker gets the models' bytes and a list of files; it answers with rows of scores, which the
caller puts where the images stand in the list. Whatever is computed from the scores is computed by
the caller, so that no figure depends on how the list was divided.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_effnet.cluster.tasks import MapShares
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.shares import FileShare, Origin, file_shares, find_share, origin_here
from edge_effnet.errors import DataError
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.metrics import Skipped
from edge_effnet.runtime.classifier import Classifier, open_classifier
from edge_effnet.runtime.evaluating.scoring import ScoreRows, score_images
from edge_effnet.stages import OnProgress
from edge_effnet.tflite.reader import read_model_bytes

PACKAGES = ("edge-effnet", "ai-edge-litert", "tflite-runtime", "numpy", "opencv-python-headless")
"""Of these a worker must have the caller's versions: others may give other scores."""


@dataclass(frozen=True, eq=False)
class ShareScores:
    """What a worker says of its share.

    Attributes:
        rows: of each model, over all images of the share.
        unreadable: images that were left out, by their index in the share.
        host: the worker's name.
    """

    rows: tuple[ScoreRows, ...]
    unreadable: tuple[int, ...]
    host: str


@dataclass(frozen=True, eq=False)
class SentModel:
    """A model as a worker gets it; nothing beside its file is needed there.

    Attributes:
        content: the bytes of its ``.tflite``, uint8.
    """

    content: NDArray[np.uint8]
    preprocess: Preprocess


@dataclass(frozen=True, eq=False)
class ShareScorer:
    """Scores a share; opens the models at the first one.

    Attributes:
        head: of every model, as the user asked.
        origin: where the list of images was made.
    """

    models: tuple[SentModel, ...]
    head: HeadChoice | None
    origin: Origin

    def __call__(self, share: FileShare) -> ShareScores:
        """Raises DataError where this machine sees other files than the one that made the list."""
        find_share(share, self.origin)
        dataset = Dataset(tuple(Sample(path, None) for path in share.paths), (), "a share")
        rows = tuple(ScoreRows.of(model, len(dataset)) for model in self._opened)
        skipped = score_images([self._opened], dataset, rows)
        return ShareScores(rows, tuple(skipped), socket.gethostname())

    @cached_property
    def _opened(self) -> list[Classifier]:
        opened = []
        with tempfile.TemporaryDirectory(prefix="edge-effnet-") as folder:
            for index, model in enumerate(self.models):
                path = Path(folder) / f"{index}.tflite"
                path.write_bytes(model.content.tobytes())
                opened.append(
                    open_classifier(
                        path, preprocess=model.preprocess, head=self.head, in_memory=True
                    )
                )
        return opened


def score_shares(
    map_shares: MapShares,
    models: Sequence[Classifier],
    dataset: Dataset,
    rows: Sequence[ScoreRows],
    *,
    head: HeadChoice | None,
    strict: bool,
    progress: OnProgress | None,
) -> dict[int, Skipped]:
    """As ``score_images``, with the images shared out.

    Args:
        models: opened here; only their files and preprocessing are used.
        head: that they were opened with.

    Raises:
        DataError: an unreadable image (``strict``), or a worker that sees other files than this
            machine.
        EdgeEffnetError: what else ``map_shares`` raises.
    """
    scorer = ShareScorer(
        tuple(
            SentModel(np.frombuffer(read_model_bytes(model.path), np.uint8), model.preprocess)
            for model in models
        ),
        head,
        origin_here(),
    )
    paths = [sample.path for sample in dataset.samples]
    skipped: dict[int, Skipped] = {}
    done = 0
    for answer in map_shares(scorer, file_shares(paths)):
        for index in answer.unreadable:
            skipped[done + index] = _unreadable_here(
                paths[done + index], answer.host, strict=strict
            )
        end = done + len(answer.rows[0].similarity)
        for own, found in zip(rows, answer.rows, strict=True):
            own.scores[done:end] = found.scores
            own.similarity[done:end] = found.similarity
        done = end
        if progress is not None:
            progress(done, len(dataset))
    return skipped


def _unreadable_here(path: Path, host: str, *, strict: bool) -> Skipped:
    """Why an image cannot be read; raises DataError where only a worker cannot."""
    try:
        read_image(path)
    except DataError as error:
        if strict:
            raise
        return Skipped(path, str(error))
    raise DataError(
        f"the worker on {host} cannot read an image that this machine can",
        found=str(path),
        fix="check the permissions of this file there, and its copy",
    )
