"""Splits a graph at points where exactly one tensor is live.

Code that works layer by layer runs one segment at a time on the stored activations of the one
before, so that its cost for each layer does not grow with the depth of the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge_effnet.heads.head import last_operator
from edge_effnet.tflite.reader import Operator, Structure


@dataclass(frozen=True)
class Segment:
    """The operators between two points where exactly one tensor is live.

    Attributes:
        operators: their indices.
        inside: the tensors they make.
        end: the last of them, the only one that is read behind.
    """

    operators: tuple[int, ...]
    inside: frozenset[int]
    end: int


def segments(structure: Structure, pairs: Sequence[tuple[int, int]]) -> Iterator[Segment]:
    """Divide a network.

    Args:
        pairs: tensors that belong into one segment, the earlier first.
    """
    last = {index: op.index for op in structure.operators for index in op.inputs if index >= 0}
    for index in structure.outputs:
        last[index] = len(structure.operators)
    torn = {first for first, second in pairs if first != second}
    alive, operators = set(structure.inputs), list[Operator]()
    for operator in structure.operators:
        operators.append(operator)
        alive = {
            index for index in alive | set(operator.outputs) if last.get(index, -1) > operator.index
        }
        if len(alive) == 1 and not alive & torn:
            (end,) = alive
            inside = frozenset(index for op in operators for index in op.outputs)
            yield Segment(tuple(op.index for op in operators), inside, end)
            operators = []


def logit_names(structure: Structure) -> list[str]:
    """The outputs, and what the final softmax or sigmoid reads."""
    names = [structure.tensors[index].name for index in structure.outputs]
    for operator in structure.operators:
        if operator.name in {"SOFTMAX", "LOGISTIC"} and set(operator.outputs) & set(
            structure.outputs
        ):
            names = [structure.tensors[index].name for index in operator.inputs]
    return names


def sigmoid_answers(structure: Structure) -> bool:
    """Whether each output is an answer of its own: sigmoids, or a single number.

    Where classes share a softmax, a constant added to all their logits changes nothing; here it
    changes every answer.
    """
    last = last_operator(structure)
    width = structure.tensors[structure.outputs[0]].shape[-1]
    return width == 1 or (last is not None and last.name == "LOGISTIC")
