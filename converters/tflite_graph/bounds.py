"""What the values of a tensor can never exceed, read off the graph."""

from __future__ import annotations

from edge_effnet.tflite.editor import read_tree
from edge_effnet.tflite.reader import parse_structure

_RELU6 = 6.0
# None of their results is larger than the largest value they read, where that is not negative.
_NO_LARGER = frozenset(
    "AVERAGE_POOL_2D EXPAND_DIMS MAX_POOL_2D MEAN PAD RESHAPE SQUEEZE TRANSPOSE".split()
)


def upper_bounds(model: bytes) -> dict[str, float]:
    """The largest value that a float model's tensors can have, by name: what a ReLU6 makes, as
    an operator or at the end of another, and what is pooled or padded from it."""
    structure = parse_structure(model, "the float model")
    schema, tree = read_tree(model)
    relu6 = schema.ActivationFunctionType.RELU6
    bounded: set[int] = set()
    for operator, stored in zip(structure.operators, tree.subgraphs[0].operators, strict=True):
        activation = getattr(stored.builtinOptions, "fusedActivationFunction", None)
        inherits = operator.name in _NO_LARGER and operator.inputs[0] in bounded
        if operator.name == "RELU6" or activation == relu6 or inherits:
            bounded.add(operator.outputs[0])
    return {structure.tensors[index].name: _RELU6 for index in bounded}
