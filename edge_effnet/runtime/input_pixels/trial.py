"""Running a network on labelled photos in several ways of making pixels its input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.threads import ahead
from edge_effnet.errors import DataError
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocessing import Pixels, Preprocess, normalize, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.input_pixels.answer_quality import (
    Quality,
    beats_one_answer,
    p_no_better,
    p_unrelated,
    quality,
    right,
)
from edge_effnet.runtime.input_pixels.running import open_running
from edge_effnet.runtime.tensors import dequantize_out, quantize_in, tensor_format

PREPARED_BYTES = 256 * 2**20


@dataclass(frozen=True)
class LabelledPhotos:
    """Photos whose answer is known.

    Attributes:
        truth: as ``runtime.evaluating.predict.true_answers`` gives it, one row or number for each.
    """

    paths: tuple[Path, ...]
    truth: NDArray[Any]

    def __len__(self) -> int:
        return len(self.paths)


@dataclass
class Trial:
    """A network and photos that are decoded once and prepared once for each fit.

    Attributes:
        model: the bytes of a ``.tflite``, float or quantized.
        head: what its answer means.
        photos: those that can be read, after ``prepare``.
        prepared: pixels by photo and by what ``preprocess`` does, in R, G, B or grey.
        scores: by way, one row for each photo that was run in this way so far.
    """

    model: bytes
    head: Head
    photos: LabelledPhotos
    workers: int
    prepared: dict[tuple[int, Preprocess], Pixels] = field(default_factory=dict)
    scores: dict[Preprocess, list[NDArray[np.float32]]] = field(default_factory=dict)

    def prepare(self, fits: Sequence[Preprocess]) -> None:
        """Decode every photo and fit it to the network; photos that cannot be read are left
        out."""
        plain = [_only_fit(fit) for fit in fits]

        def work(path: Path) -> list[Pixels] | None:
            try:
                pixels = read_image(path)
            except DataError:
                return None
            return [preprocess(pixels, one) for one in plain]

        kept: list[int] = []
        for index, found in enumerate(ahead(work, self.photos.paths, self.workers)):
            if found is None:
                continue
            for one, pixels in zip(plain, found, strict=True):
                self.prepared[len(kept), one] = pixels
            kept.append(index)
        paths = tuple(self.photos.paths[index] for index in kept)
        self.photos = LabelledPhotos(paths, self.photos.truth[kept])

    def same_fit(self, one: Preprocess, other: Preprocess) -> bool:
        """Whether two fits make the same of nearly every photo."""
        first, second = _only_fit(one), _only_fit(other)
        different = sum(
            not np.array_equal(self.prepared[index, first], self.prepared[index, second])
            for index in range(len(self.photos))
        )
        return different <= len(self.photos) // 20

    def run(self, ways: Iterable[Preprocess], count: int) -> None:
        """Run the first ``count`` photos in each way, as far as they were not run yet."""
        tasks = [
            (way, index)
            for way in dict.fromkeys(ways)
            for index in range(len(self.scores.setdefault(way, [])), min(count, len(self.photos)))
        ]
        if not tasks:
            return
        idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(min(self.workers, len(tasks))):
            idle.put(open_running(self.model))

        def work(task: tuple[Preprocess, int]) -> NDArray[np.float32]:
            interpreter = idle.get()
            try:
                return self._answer(interpreter, *task)
            finally:
                idle.put(interpreter)

        for (way, _), scores in zip(tasks, ahead(work, tasks, self.workers), strict=True):
            self.scores[way].append(scores)

    def _answer(self, interpreter: Any, way: Preprocess, index: int) -> NDArray[np.float32]:
        pixels = self.prepared[index, _only_fit(way)]
        pixels = pixels[..., ::-1] if way.channels == "bgr" else pixels
        source, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        stored = quantize_in(normalize(pixels, way), tensor_format(source))
        interpreter.set_tensor(source["index"], stored[None])
        interpreter.invoke()
        answer = interpreter.get_tensor(output["index"])
        scores = self.head.scores(dequantize_out(answer, tensor_format(output)).reshape(-1))
        return np.nan_to_num(scores, nan=0.0, posinf=0.0, neginf=0.0)

    def complete(self, way: Preprocess) -> bool:
        """Whether all photos were run in this way."""
        return len(self.scores.get(way, ())) == len(self.photos)

    def quality(self, way: Preprocess) -> Quality:
        """How good each answer is in this way, -1 to 1, of the photos that were run so far."""
        scores = np.stack(self.scores[way])
        return quality(self.head, scores, self.photos.truth[: len(scores)])

    def right(self, way: Preprocess) -> int:
        """Photos answered rightly; of values, those nearer than the mean of all is."""
        scores = np.stack(self.scores[way])
        return int(right(self.head, scores, self.photos.truth[: len(scores)]).sum())

    def beats_chance(self, way: Preprocess, chance: float) -> bool:
        """Whether the answers are those of this network to these photos, and neither one and the
        same nor any."""
        scores = np.stack(self.scores[way])
        truth = self.photos.truth[: len(scores)]
        better = beats_one_answer(self.head, scores, truth)
        return better and p_unrelated(self.head, scores, truth) < chance

    def best(self, ways: Iterable[Preprocess]) -> Preprocess:
        """The way with the best answers; the first of equal ones."""
        return max(ways, key=lambda way: float(self.quality(way).mean()))

    def p_no_better(self, one: Preprocess, other: Preprocess) -> float:
        """How often chance alone would make ``one`` so much better than ``other``."""
        count = min(len(self.scores[one]), len(self.scores[other]))
        return p_no_better(self.quality(one)[:count], self.quality(other)[:count])


def _only_fit(way: Preprocess) -> Preprocess:
    """The same size and fit with pixels as they are: what ``prepared`` is looked up by."""
    plain: Preprocess = replace(
        way,
        mean=(0.0,),
        std=(1.0,),
        standardize=False,
        channels="grey" if way.channels == "grey" else "rgb",
    )
    return plain
