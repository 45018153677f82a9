"""Float operators in other words: the same result from operators that have int8 kernels.

Each is one operator for one, so that every tensor keeps its name and its range.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from converters.tflite_graph.unused import drop_unused
from edge_effnet.arrays import Float32Array
from edge_effnet.tflite.editor import operator_code, pack_tree, read_tree
from edge_effnet.tflite.reader import Structure

_REWRITTEN = frozenset({"NEG", "SQUARE", "DIV", "POW"})


def with_equivalent_operators(model: bytes, structure: Structure) -> bytes:
    """Rewrite -x and x / c as products with a constant, x² as x · x and x^0.5 as a root.

    NEG has an int8 kernel of its own, which ignores zero points.

    Returns:
        The same bytes where there is none of these.
    """
    if not any(operator.name in _REWRITTEN for operator in structure.operators):
        return model
    schema, tree = read_tree(model)
    for operator, stored in zip(structure.operators, tree.subgraphs[0].operators, strict=True):
        if operator.name in _REWRITTEN:
            _rewrite(schema, tree, stored, operator.name)
    drop_unused(tree)
    return pack_tree(tree)


def _rewrite(schema: Any, tree: Any, operator: Any, kind: str) -> None:
    source, *others = (int(index) for index in operator.inputs)
    constant = _constant(schema, tree, others[0]) if others else None
    if tree.subgraphs[0].tensors[source].type != schema.TensorType.FLOAT32:
        return
    if kind == "NEG":
        _multiply(schema, tree, operator, source, np.full((1,), -1, np.float32))
    elif kind == "SQUARE" or (kind == "POW" and _is(constant, 2)):
        _become(schema, tree, operator, "MUL", [source, source])
    elif kind == "POW" and _is(constant, 0.5):
        _become(schema, tree, operator, "SQRT", [source])
    elif kind == "DIV" and constant is not None and (constant != 0).all():
        _multiply(schema, tree, operator, source, np.asarray(1 / constant, np.float32))


def _is(constant: Float32Array | None, value: float) -> bool:
    return constant is not None and constant.size == 1 and float(constant.reshape(())) == value


def _constant(schema: Any, tree: Any, index: int) -> Float32Array | None:
    tensor = tree.subgraphs[0].tensors[index]
    data = tree.buffers[tensor.buffer].data
    if data is None or not len(data) or tensor.type != schema.TensorType.FLOAT32:
        return None
    return np.asarray(data, np.uint8).view(np.float32).reshape(tensor.shape)


def _multiply(schema: Any, tree: Any, operator: Any, source: int, factor: Float32Array) -> None:
    tensor, buffer = schema.TensorT(), schema.BufferT()
    graph = tree.subgraphs[0]
    tensor.name = graph.tensors[int(operator.outputs[0])].name + b";factor"
    tensor.shape, tensor.type = np.array(factor.shape, np.int32), schema.TensorType.FLOAT32
    buffer.data = np.frombuffer(factor.tobytes(), np.uint8)
    tree.buffers.append(buffer)
    tensor.buffer = len(tree.buffers) - 1
    graph.tensors.append(tensor)
    activation = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
    _become(schema, tree, operator, "MUL", [source, len(graph.tensors) - 1], activation)


def _become(
    schema: Any, tree: Any, operator: Any, kind: str, inputs: list[int], activation: int = 0
) -> None:
    operator.opcodeIndex = operator_code(schema, tree, getattr(schema.BuiltinOperator, kind))
    operator.inputs = np.array(inputs, np.int32)
    operator.builtinOptionsType, operator.builtinOptions = 0, None
    if kind == "MUL":
        operator.builtinOptionsType = schema.BuiltinOptions.MulOptions
        operator.builtinOptions = schema.MulOptionsT()
        operator.builtinOptions.fusedActivationFunction = activation
