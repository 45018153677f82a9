"""Mixed precision: some operators compute in float so that a tensor is never rounded to 8 bits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from converters.quantization.candidates import Candidate, Context
from converters.quantization.ranges.search import searched
from edge_effnet.tflite.reader import Structure


@dataclass(frozen=True)
class LeaveFloat:
    """Step: so many of the tensors that cost the answer most are left in float."""

    count: int

    def __call__(self, candidate: Candidate, context: Context) -> Candidate:
        found = searched(context)
        costliest = sorted(found, key=lambda name: -found[name].share)[: self.count]
        left = candidate.left_float | kept_in_float(context.structure, costliest)
        return replace(candidate, left_float=left)


def kept_in_float(structure: Structure, tensors: Iterable[str]) -> frozenset[str]:
    """The outputs of the operators that make or read the given tensors.

    A product left in float between integer neighbours would be rounded all the same when it is
    handed on, so its readers compute in float as well. Operators at the network's own input
    and output stay integer: their types are the interface.
    """
    chosen = {i for i, tensor in enumerate(structure.tensors) if tensor.name in set(tensors)}
    ends = {*structure.inputs, *structure.outputs}
    return frozenset(
        structure.tensors[operator.outputs[0]].name
        for operator in structure.operators
        if chosen.intersection((*operator.inputs, *operator.outputs))
        and not ends.intersection((*operator.inputs, *operator.outputs))
    )
