"""Operators whose result does not depend on the image become constants.

Flatten and global pooling leave SHAPE, STRIDED_SLICE and PACK, which break a network into pieces
for the delegate; float16 weights are expanded by DEQUANTIZE.
"""

from __future__ import annotations

from typing import Any

from converters.float_model.tflite_files.editable import EditableGraph
from edge_effnet.errors import ModelError

_OF_SHAPES = {"SHAPE", "RANK", "ZEROS_LIKE"}  # ask the shape of a tensor, which is fixed
# Random, or with a state: the same inputs may give something else the next time.
_NOT_TWICE = ("RANDOM_", "MULTINOMIAL", "CUSTOM", "VAR_HANDLE", "READ_VARIABLE", "CALL_ONCE")


def fold_constants(graph: EditableGraph, interpreter: Any) -> None:
    """Replace such operators by what they made when the network ran once.

    Args:
        interpreter: of the same graph, having run with all tensors kept.

    Raises:
        ModelError: the answer itself does not depend on the image.
    """
    known = {index for index in range(len(graph.tensors)) if graph.is_constant(index)}
    kept = []
    for operator in graph.operators:
        kind, read = graph.kind(operator), graph.read_by(operator)
        fixed = kind in _OF_SHAPES or (bool(read) and known.issuperset(read))
        if not fixed or kind.startswith(_NOT_TWICE):
            kept.append(operator)
            continue
        for index in graph.made_by(operator):
            graph.set_constant(index, interpreter.get_tensor(index))
            known.add(index)
    graph.operators = kept
    if known.intersection(graph.outputs):
        raise ModelError(
            f"{graph.name} answers the same to every image",
            found="an output that is computed from constants alone",
            expected="an output that depends on the input",
            fix="export the model again",
        )
    graph.drop_unused()
