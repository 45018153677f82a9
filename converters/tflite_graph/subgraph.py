"""Parts of a network as models of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.threads import ahead
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.tflite.editor import pack_tree, read_tree, writable_outputs
from edge_effnet.tflite.reader import Structure

_Result = TypeVar("_Result")


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


def _needed(operators: Sequence[Any], needed: set[int], *, stop: set[int]) -> list[Any]:
    """Those of the operators, in order, that the needed tensors depend on."""
    needed = needed - stop
    kept = []
    for operator in reversed(operators):
        if needed.intersection(operator.outputs):
            needed = (needed | set(operator.inputs)) - stop
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

    @property
    def is_one_graph(self) -> bool:
        """Whether no operator calls another graph of the file, as a loop does."""
        return len(self._tree.subgraphs) == 1

    def extract(
        self, operators: Sequence[int], sources: Sequence[int], targets: Sequence[int]
    ) -> bytes:
        """A model of some of the operators; tensors keep their indices."""
        schema, original = self._schema, self._tree
        graph = original.subgraphs[0]
        kept = [graph.operators[index] for index in operators]
        read = {int(index) for operator in kept for index in operator.inputs if index >= 0}
        used = read.union(sources, targets, *(operator.outputs for operator in kept))
        buffers = {graph.tensors[index].buffer for index in read}
        tree, part, unused = schema.ModelT(), schema.SubGraphT(), schema.TensorT()
        tree.version, tree.operatorCodes = original.version, original.operatorCodes
        empty = schema.BufferT()
        tree.buffers = [b if i in buffers else empty for i, b in enumerate(original.buffers)]
        # Names, shapes and scales of thousands of others would take most of the time.
        part.tensors = [t if i in used else unused for i, t in enumerate(graph.tensors)]
        part.operators = kept
        part.inputs = np.array(sources, np.int32)
        part.outputs = np.array(targets, np.int32)
        tree.subgraphs = [part]
        return pack_tree(tree)


def answering(model: bytes, tensor: int) -> bytes:
    """The same model, whose first output is one of its tensors."""
    copy = bytearray(model)
    outputs = writable_outputs(copy)
    if outputs[0] == tensor:
        return model
    outputs[0] = tensor
    return bytes(copy)


def run_part(
    part: bytes | bytearray,
    source: int,
    values: Sequence[NDArray[Any]],
    target: int,
    reducer: Callable[[int, NDArray[Any]], _Result],
    *,
    workers: int,
) -> list[_Result]:
    """Run a part of a model, float or integer, with each of some values of what it reads.

    Runs with the kernels that the whole file will run with: those of XNNPACK, or the runtime's
    own where XNNPACK refuses the part.

    Args:
        source, target: tensors it reads and makes.
        reducer: given the index in ``values`` and what the target holds then.
    """
    model = bytes(part)
    try:
        _invoke(open_bytes(model), source, values[0])
        xnnpack = True
    except RuntimeError:  # only a first run tells
        xnnpack = False
    idle = [open_bytes(model, xnnpack=xnnpack) for _ in range(workers)]

    def work(index: int) -> _Result:
        interpreter = idle.pop()  # as many as threads, so never empty
        try:
            _invoke(interpreter, source, values[index])
            return reducer(index, interpreter.get_tensor(target))
        finally:
            idle.append(interpreter)

    return list(ahead(work, range(len(values)), workers))


def _invoke(interpreter: Any, source: int, value: NDArray[Any]) -> None:
    interpreter.set_tensor(source, value)
    interpreter.invoke()
