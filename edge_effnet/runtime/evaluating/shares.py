"""Run models over images in shares, each on any machine that sees the same files.

A worker gets the models' bytes and a list of files; it answers with rows of scores, which the
caller puts where the images stand in the list. Whatever is computed from the scores is computed by
the caller, so that no figure depends on how the list was divided.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_effnet.cluster.tasks import MapShares
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.errors import DataError
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.metrics import Skipped
from edge_effnet.plurals import counted
from edge_effnet.runtime.classifier import Classifier, open_classifier
from edge_effnet.runtime.evaluating.scoring import ScoreRows, score_images
from edge_effnet.stages import OnProgress
from edge_effnet.tflite.reader import read_model_bytes

SHARE = 64
"""Images: about half a second of one core; fewer cost more in sending, more leave workers idle at
the end."""
PACKAGES = ("edge-effnet", "ai-edge-litert", "tflite-runtime", "numpy", "opencv-python-headless")
"""Of these a worker must have the caller's versions: others may give other scores."""


@dataclass(frozen=True)
class Share:
    """Files of one task, with their sizes in bytes here (None: not there)."""

    paths: tuple[Path, ...]
    sizes: tuple[int | None, ...]


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
        source: of the images, for errors.
        directory: that relative paths start from.
        host: the machine that made the list.
    """

    models: tuple[SentModel, ...]
    head: HeadChoice | None
    source: str
    directory: Path
    host: str

    def __call__(self, share: Share) -> ShareScores:
        """Raises DataError where this machine sees other files than the one that made the list."""
        if self.directory.is_dir():
            os.chdir(self.directory)
        self._refuse_other_files(share)
        dataset = Dataset(tuple(Sample(path, None) for path in share.paths), (), self.source)
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

    def _refuse_other_files(self, share: Share) -> None:
        own = [_size(path) for path in share.paths]
        differing = [index for index, size in enumerate(own) if size != share.sizes[index]]
        if not differing:
            return
        missing = [index for index in differing if own[index] is None]
        what, which = ("missing", missing) if missing else ("of another size", differing)
        raise DataError(
            f"the worker on {socket.gethostname()} has other images in {self.source} than this "
            f"machine, {self.host}",
            found=f"{len(which)} of {counted(len(own), 'image')} of its share {what}, such as "
            f"{share.paths[which[0]]}",
            expected="the same files at the same place on every machine",
            fix="put the images on a file system that all machines share, or copy them to each",
        )


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
        dataset.source,
        Path.cwd(),
        socket.gethostname(),
    )
    skipped: dict[int, Skipped] = {}
    done = 0
    for answer in map_shares(scorer, _shares(dataset)):
        for index in answer.unreadable:
            path = dataset.samples[done + index].path
            skipped[done + index] = _unreadable_here(path, answer.host, strict=strict)
        end = done + len(answer.rows[0].similarity)
        for own, found in zip(rows, answer.rows, strict=True):
            own.scores[done:end] = found.scores
            own.similarity[done:end] = found.similarity
        done = end
        if progress is not None:
            progress(done, len(dataset))
    return skipped


def _shares(dataset: Dataset) -> Iterator[Share]:
    for start in range(0, len(dataset), SHARE):
        paths = tuple(sample.path for sample in dataset.samples[start : start + SHARE])
        yield Share(paths, tuple(map(_size, paths)))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


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
