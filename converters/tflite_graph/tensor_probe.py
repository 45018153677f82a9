"""The error that one tensor alone causes in a network's output.

In a model that is integer throughout, a change to one tensor drowns in the rounding of all
others. Here everything stays float but one tensor: the network is cut behind it, the part
before runs once for each image, and only the part behind runs again for every way to store
the tensor. So a trial costs a fraction of an inference and answers without the error of others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from converters.tflite_graph.activations import Image, collect_activations
from converters.tflite_graph.error_metrics import error_share, mirrored, typical_share
from converters.tflite_graph.segments import sigmoid_answers
from converters.tflite_graph.subgraph import (
    SubgraphCut,
    SubgraphExtractor,
    cut_behind,
)
from edge_effnet.arrays import Float32Array
from edge_effnet.data.threads import ahead
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.tflite.reader import Structure

Change = Callable[[Float32Array], Float32Array]
_Result = TypeVar("_Result")

_HELD_BYTES = 300_000_000  # of activations kept at once


class TensorProbe:
    """One tensor of a float network that can be changed to see what the answer does.

    Attributes:
        cut: where the network was cut.
        reference: the float network's own answers, images x classes; ``mirrored`` with sigmoids.
    """

    def __init__(
        self,
        cut: SubgraphCut,
        rear: Any,
        values: list[list[Float32Array]],
        reference: Float32Array,
        *,
        sigmoids: bool,
    ) -> None:
        self.cut, self._rear, self._values, self._sigmoids = cut, rear, values, sigmoids
        self._answer = rear.get_output_details()[0]["index"]
        self.reference = reference

    def typical_share(self, change: Change) -> float:
        """How far the answer moves, as the function of that name measures it.

        Args:
            change: given the tensor's values, returns those that stand in for them.
        """
        return typical_share(self.reference, self._ask(change))

    def error_and_flips(self, change: Change) -> tuple[float, float]:
        """The share of the error, and the share of images whose answer becomes another."""
        answer = self._ask(change)
        if self._sigmoids:  # each is a decision of its own
            flipped = ((answer > 0) != (self.reference > 0)).any(axis=1)
        else:
            flipped = answer.argmax(axis=1) != self.reference.argmax(axis=1)
        return error_share(self.reference, answer), float(flipped.mean())

    def _ask(self, change: Change) -> Float32Array:
        answers = []
        for own, *others in self._values:
            for index, value in zip(self.cut.sources, (change(own), *others), strict=True):
                self._rear.set_tensor(index, value)
            self._rear.invoke()
            answers.append(self._rear.get_tensor(self._answer).reshape(-1))
        values = np.asarray(np.stack(answers), np.float32)
        return mirrored(values) if self._sigmoids else values


def probe_tensors(
    extractor: SubgraphExtractor,
    tensors: Sequence[int],
    images: Sequence[Image],
    reference: Float32Array,
    reducer: Callable[[int, TensorProbe], _Result],
    *,
    workers: int,
) -> list[_Result]:
    """What ``reducer`` makes of the probe of each of many tensors, in order.

    Args:
        reducer: given the tensor and its probe, in several threads.
    """

    def work(job: tuple[int, Callable[[], TensorProbe]]) -> _Result:
        tensor, make = job
        return reducer(tensor, make())

    probes = _probes(extractor, tensors, images, reference, workers=workers)
    return list(ahead(work, zip(tensors, probes, strict=True), workers))


def _probes(
    extractor: SubgraphExtractor,
    tensors: Sequence[int],
    images: Sequence[Image],
    reference: Float32Array,
    *,
    workers: int,
) -> Iterator[Callable[[], TensorProbe]]:
    """What makes the probe of each of many tensors, in order.

    As many as fit into memory share one pass over the images. What is yielded may be
    called in another thread.
    """
    cuts = [cut_behind(extractor.structure, tensor, extractor.answer) for tensor in tensors]
    for together in _sharing_a_pass(extractor.structure, cuts, len(images)):
        indices = sorted({index for cut in together for index in cut.sources})
        passed = collect_activations(extractor.model, indices, images, _copied, workers=workers)
        held = [dict(zip(indices, values, strict=True)) for values in passed]
        for cut in together:
            values = [[stored[index] for index in cut.sources] for stored in held]
            yield partial(_probe_behind, extractor, cut, values, reference)


def _probe_behind(
    extractor: SubgraphExtractor,
    cut: SubgraphCut,
    values: list[list[Float32Array]],
    reference: Float32Array,
) -> TensorProbe:
    rear = open_bytes(extractor.extract(cut.rear, cut.sources, (extractor.answer,)))
    sigmoids = sigmoid_answers(extractor.structure)
    return TensorProbe(cut, rear, values, reference, sigmoids=sigmoids)


def _sharing_a_pass(
    structure: Structure, cuts: Sequence[SubgraphCut], images: int
) -> Iterator[list[SubgraphCut]]:
    """Neighbours, whose sources are often the same, up to a size in memory."""
    together: list[SubgraphCut] = []
    indices: set[int] = set()
    for cut in cuts:
        grown = indices.union(cut.sources)
        elements = sum(structure.tensors[index].elements for index in grown)
        if together and 4 * elements * images > _HELD_BYTES:
            yield together
            together, grown = [], set(cut.sources)
        together, indices = [*together, cut], grown
    if together:
        yield together


def _copied(_: int, __: int, values: Any) -> Float32Array:
    return np.array(values)
