"""What one tensor alone does to a network's answer.

In a model that is integer throughout, a change to one tensor drowns in the rounding of all
others. Here everything stays float but one tensor: the network is cut behind it, the part
before runs once for each image, and only the part behind runs again for every way to store
the tensor. So a trial costs a fraction of an inference and answers without noise.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from converters.tflite_graph.activations import Image, collect_activations
from converters.tflite_graph.error_metrics import error_share, mirrored, typical_share
from converters.tflite_graph.topology import sigmoid_answers
from edge_effnet.arrays import Float32Array
from edge_effnet.native_log import native_output_hidden
from edge_effnet.runtime.interpreter import load_runtime
from edge_effnet.tflite.editor import pack_tree, read_tree
from edge_effnet.tflite.reader import Structure

Change = Callable[[Float32Array], Float32Array]
_Seen = TypeVar("_Seen")

_HELD_BYTES = 300_000_000  # of activations kept at once


@dataclass(frozen=True)
class SubgraphCut:
    """A network in two parts, by tensor indices.

    Attributes:
        sources: what the rear part reads, the tensor itself first.
        front: operators that make the sources of the network's input.
        rear: operators that make the answer of the sources.
    """

    sources: tuple[int, ...]
    front: tuple[int, ...]
    rear: tuple[int, ...]


def cut_behind(structure: Structure, tensor: int, answer: int) -> SubgraphCut:
    """Where to cut so that as little as possible runs behind ``tensor``."""
    reached, behind = {tensor}, []
    for operator in structure.operators:
        if reached.intersection(operator.inputs):
            reached.update(operator.outputs)
            behind.append(operator)
    rear = _needed(behind, {answer}, stop={tensor})
    made = {index for operator in rear for index in operator.outputs}
    others = sorted(
        {
            index
            for operator in rear
            for index in operator.inputs
            if index >= 0 and index not in made | {tensor}
            if not structure.tensors[index].constant_bytes
        }
    )
    sources = (tensor, *others)
    front = _needed(structure.operators, set(sources), stop=set())
    return SubgraphCut(sources, tuple(op.index for op in front), tuple(op.index for op in rear))


def _needed(operators: Sequence[Any], wanted: set[int], *, stop: set[int]) -> list[Any]:
    """Those of the operators, in order, that the wanted tensors depend on."""
    wanted = wanted - stop
    kept = []
    for operator in reversed(operators):
        if wanted.intersection(operator.outputs):
            wanted = (wanted | set(operator.inputs)) - stop
            kept.append(operator)
    return kept[::-1]


class SubgraphExtractor:
    """A float model, whose parts become models of their own.

    Args:
        answer: index of the tensor that is the answer, the logits.
    """

    def __init__(self, model: bytes, structure: Structure, answer: int) -> None:
        self.model, self.structure, self.answer = model, structure, answer
        self._schema, self._tree = read_tree(model)

    def extract(
        self, operators: Sequence[int], sources: Sequence[int], targets: Sequence[int]
    ) -> bytes:
        """A model of some of the operators; tensors keep their indices."""
        schema, whole = self._schema, self._tree
        graph = whole.subgraphs[0]
        kept = [graph.operators[index] for index in operators]
        read = {int(index) for operator in kept for index in operator.inputs if index >= 0}
        buffers = {graph.tensors[index].buffer for index in read}
        tree, part = schema.ModelT(), schema.SubGraphT()
        tree.version, tree.operatorCodes = whole.version, whole.operatorCodes
        empty = schema.BufferT()
        tree.buffers = [b if i in buffers else empty for i, b in enumerate(whole.buffers)]
        part.tensors, part.operators = graph.tensors, kept
        part.inputs = np.array(sources, np.int32)
        part.outputs = np.array(targets, np.int32)
        tree.subgraphs = [part]
        return pack_tree(tree)

    def probe(
        self, tensor: int, images: Sequence[Image], wanted: Float32Array | None = None
    ) -> TensorProbe:
        """SubgraphCut behind a tensor and run the part before once for each image.

        Args:
            wanted: the float network's answers, images x classes, where they are known.
        """
        return next(self._probes([tensor], images, wanted, workers=1))()

    def probe_all(
        self,
        tensors: Sequence[int],
        images: Sequence[Image],
        wanted: Float32Array,
        look: Callable[[int, TensorProbe], _Seen],
        *,
        workers: int,
    ) -> list[_Seen]:
        """What ``look`` makes of each of many tensors, probe; in order.

        Args:
            look: given the tensor and what isolates it, in several threads.
        """

        def job(tensor: int, make: Callable[[], TensorProbe]) -> _Seen:
            return look(tensor, make())

        jobs = zip(tensors, self._probes(tensors, images, wanted, workers=workers), strict=True)
        seen: list[_Seen] = []
        waiting: deque[Future[_Seen]] = deque()
        with ThreadPoolExecutor(workers) as pool:
            for tensor, probe in jobs:
                waiting.append(pool.submit(job, tensor, probe))
                if len(waiting) > workers:  # each holds activations of all images
                    seen.append(waiting.popleft().result())
            seen += [job.result() for job in waiting]
        return seen

    def _probes(
        self,
        tensors: Sequence[int],
        images: Sequence[Image],
        wanted: Float32Array | None,
        *,
        workers: int,
    ) -> Iterator[Callable[[], TensorProbe]]:
        """What makes each of many tensors probe, in order.

        As many as fit into memory share one pass over the images. What is yielded may be
        called in another thread.
        """
        cuts = [cut_behind(self.structure, tensor, self.answer) for tensor in tensors]
        for together in self._sharing_a_pass(cuts, len(images)):
            places = sorted({index for cut in together for index in cut.sources})
            seen = collect_activations(self.model, places, images, _copied, workers=workers)
            held = [dict(zip(places, values, strict=True)) for values in seen]
            for cut in together:
                values = [[known[index] for index in cut.sources] for known in held]
                yield partial(self._behind, cut, values, wanted)

    def _behind(
        self, cut: SubgraphCut, values: list[list[Float32Array]], wanted: Float32Array | None
    ) -> TensorProbe:
        rear = _open(self.extract(cut.rear, cut.sources, (self.answer,)))
        sigmoids = sigmoid_answers(self.structure)
        return TensorProbe(cut, rear, values, wanted, sigmoids=sigmoids)

    def _sharing_a_pass(
        self, cuts: Sequence[SubgraphCut], images: int
    ) -> Iterator[list[SubgraphCut]]:
        """Neighbours, whose sources are often the same, up to a size in memory."""
        together: list[SubgraphCut] = []
        places: set[int] = set()
        for cut in cuts:
            grown = places.union(cut.sources)
            elements = sum(self.structure.tensors[index].elements for index in grown)
            if together and 4 * elements * images > _HELD_BYTES:
                yield together
                together, grown = [], set(cut.sources)
            together, places = [*together, cut], grown
        if together:
            yield together


def _copied(_: int, values: list[Any]) -> list[Float32Array]:
    return [value.copy() for value in values]


def run_part(
    part: bytes | bytearray,
    source: int,
    values: Sequence[NDArray[Any]],
    target: int,
    look: Callable[[int, NDArray[Any]], _Seen],
    *,
    workers: int,
) -> list[_Seen]:
    """Run a part of a model, float or integer, with each of some values of what it reads.

    Runs with the kernels that the whole file will run with: the fast ones, or the runtime's own
    where those refuse the part.

    Args:
        source, target: tensors it reads and makes.
        look: told the place in ``values`` and what the target holds then.
    """
    model = bytes(part)
    try:
        _invoke(_open(model), source, values[0])
        fast = True
    except RuntimeError:  # only a first run tells
        fast = False
    idle = [_open(model, fast=fast) for _ in range(workers)]

    def work(place: int) -> _Seen:
        interpreter = idle.pop()  # as many as threads, so never empty
        try:
            _invoke(interpreter, source, values[place])
            return look(place, interpreter.get_tensor(target))
        finally:
            idle.append(interpreter)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, range(len(values))))


def _invoke(interpreter: Any, source: int, value: NDArray[Any]) -> None:
    interpreter.set_tensor(source, value)
    interpreter.invoke()


class TensorProbe:
    """One tensor of a float network that can be changed to see what the answer does.

    Attributes:
        cut: where the network was cut.
        wanted: the float network's own answers, images x classes; ``mirrored`` with sigmoids.
    """

    def __init__(
        self,
        cut: SubgraphCut,
        rear: Any,
        values: list[list[Float32Array]],
        wanted: Float32Array | None,
        *,
        sigmoids: bool = False,
    ) -> None:
        self.cut, self._rear, self._values, self._sigmoids = cut, rear, values, sigmoids
        self._answer = rear.get_output_details()[0]["index"]
        self.wanted = self._ask(None) if wanted is None else wanted

    def typical_share(self, change: Change) -> float:
        """How far the answer moves, as the function of that name measures it.

        Args:
            change: given the tensor's values, returns those that stand in for them.
        """
        return typical_share(self.wanted, self._ask(change))

    def error_and_flips(self, change: Change) -> tuple[float, float]:
        """The share of noise, and the share of images whose answer becomes another."""
        answer = self._ask(change)
        if self._sigmoids:  # each is a decision of its own
            flipped = ((answer > 0) != (self.wanted > 0)).any(axis=1)
        else:
            flipped = answer.argmax(axis=1) != self.wanted.argmax(axis=1)
        return error_share(self.wanted, answer), float(flipped.mean())

    def _ask(self, change: Change | None) -> Float32Array:
        answers = []
        for own, *others in self._values:
            changed = change(own) if change else own
            for index, value in zip(self.cut.sources, (changed, *others), strict=True):
                self._rear.set_tensor(index, value)
            self._rear.invoke()
            answers.append(self._rear.get_tensor(self._answer).reshape(-1))
        values = np.asarray(np.stack(answers), np.float32)
        return mirrored(values) if self._sigmoids else values


def _open(model: bytes, *, fast: bool = True) -> Any:
    module = load_runtime().module
    kernels = module.OpResolverType
    kind = kernels.AUTO if fast else kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    with warnings.catch_warnings(), native_output_hidden():
        warnings.simplefilter("ignore", UserWarning)
        interpreter = module.Interpreter(
            model_content=model, num_threads=1, experimental_op_resolver_type=kind
        )
        interpreter.allocate_tensors()
    return interpreter
