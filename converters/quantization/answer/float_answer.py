"""The last layer and what is behind it in float, with the layer's weights in int8.

Behind the last convolution a CPU gains nothing by integers, and the answer loses more on 256
levels than anywhere else: small probabilities become 0, near ones equal. So the last pooling, the
last layer and the softmax or sigmoid compute in float. The weights keep their eight bits: a
FULLY_CONNECTED of float values and int8 weights rounds what it reads to 8 bits for each image
("hybrid" in TensorFlow Lite), which took no more time than an integer one where it was measured.

Not every runtime knows weights with one step for each output there: tflite-runtime 2.14 opens
such a file and answers wrong. So the weights are stored in whole steps, with a scale of 1, and a
MUL behind gives each output its step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.tflite_graph.graph import LAYERS
from converters.tflite_graph.segments import logit_names
from converters.tflite_graph.unused import drop_unused
from edge_effnet.errors import ModelError
from edge_effnet.tflite.editor import operator_code, pack_tree, read_tree
from edge_effnet.tflite.reader import Operator, Structure

_LARGEST = 127
# A row of zeros has a step all the same.
_SMALLEST_STEP = 1e-12
_POOLING = frozenset({"MEAN", "AVERAGE_POOL_2D"})
_HYBRID = 3  # the first version of FULLY_CONNECTED that has it


@dataclass(frozen=True)
class FloatAnswer:
    """What computes in float at the end of a network, by the names of the tensors made.

    Attributes:
        layer: the logits, or the values of a network without a function behind them.
        others: the pooling in front of the last layer, and what is behind it.
    """

    layer: str
    others: frozenset[str]

    @property
    def tensors(self) -> frozenset[str]:
        return self.others | {self.layer}


def find_float_answer(model: bytes, structure: Structure) -> FloatAnswer | None:
    """The end of a float network; None where it is no dense layer, or the only layer there is.

    Args:
        model, structure: of one image and one answer.
    """
    makers = {operator.outputs[0]: operator for operator in structure.operators}
    names = logit_names(structure)
    logits = next((i for i in makers if structure.tensors[i].name == names[0]), -1)
    layer = makers.get(logits)
    if len(structure.outputs) != 1 or len(names) != 1 or layer is None:
        return None
    layers = [operator for operator in structure.operators if operator.name in LAYERS]
    if layers[:1] == [layer] or not _is_plain_dense(model, structure, layer):
        return None
    behind = [structure.outputs[0]] if logits not in structure.outputs else []
    chain = [*_pooling(structure, makers, layer.inputs[0]), *behind]
    return FloatAnswer(names[0], frozenset(structure.tensors[index].name for index in chain))


def refuse_without_last_layer(model: bytes, structure: Structure, name: str) -> None:
    """Refuse a network whose last layer could not be exchanged in a file that is compiled.

    Args:
        model, structure: float.
        name: of the network.

    Raises:
        ModelError: ``find_float_answer`` finds nothing.
    """
    if find_float_answer(model, structure) is None:
        raise ModelError(
            f"{name} has no last layer that could stay out of what is compiled",
            found="an answer that no dense layer makes, or nothing in front of that layer",
            expected="a dense layer, with a softmax, a sigmoid or nothing behind it",
            fix="leave --teachable out",
        )


def _is_plain_dense(model: bytes, structure: Structure, layer: Operator) -> bool:
    """Whether it is a FULLY_CONNECTED with weights of its own and no function inside."""
    if layer.name != "FULLY_CONNECTED":
        return False
    kernel, made = structure.tensors[layer.inputs[1]], structure.tensors[layer.outputs[0]]
    if not kernel.constant_bytes or kernel.dtype != "float32" or made.elements != kernel.shape[0]:
        return False
    schema, tree = read_tree(model)
    options = tree.subgraphs[0].operators[layer.index].builtinOptions
    return bool(options.fusedActivationFunction == schema.ActivationFunctionType.NONE)


def _pooling(structure: Structure, makers: dict[int, Operator], read: int) -> list[int]:
    """The tensors from the last pooling to what the last layer reads; empty without one."""
    chain = []
    while read in makers and sum(read in op.inputs for op in structure.operators) == 1:
        maker = makers[read]
        chain.append(read)
        if maker.name in _POOLING:
            return chain
        if maker.name != "RESHAPE":
            break
        read = maker.inputs[0]
    return []


def store_answer_in_int8(model: bytes, answer: FloatAnswer) -> bytes:
    """Store the weights of the last layer in int8; it computes in float until then."""
    schema, tree = read_tree(model)
    graph = tree.subgraphs[0]
    index, layer = next(
        (index, operator)
        for index, operator in enumerate(graph.operators)
        if graph.tensors[operator.outputs[0]].name == answer.layer.encode()
    )
    source, kernel = map(int, layer.inputs[:2])
    logits = int(layer.outputs[0])
    shape = [int(side) for side in graph.tensors[kernel].shape]
    weights = _floats(tree, kernel).reshape(shape)
    steps = np.maximum(np.abs(weights).max(axis=1), _SMALLEST_STEP) / np.float32(_LARGEST)
    whole = np.rint(weights / steps[:, None]).astype(np.int8)
    has_bias = len(layer.inputs) > 2 and layer.inputs[2] >= 0
    bias = _floats(tree, int(layer.inputs[2])) if has_bias else np.zeros(len(steps), np.float32)

    def constant(values: NDArray[Any], name: str) -> int:
        buffer, tensor = schema.BufferT(), schema.TensorT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tree.buffers.append(buffer)
        tensor.buffer, tensor.name = len(tree.buffers) - 1, f"{answer.layer}_{name}".encode()
        tensor.shape = np.array(values.shape, np.int32)
        types = schema.TensorType
        tensor.type = types.INT8 if values.dtype == np.int8 else types.FLOAT32
        if values.dtype == np.int8:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.ones(1, np.float32)
            tensor.quantization.zeroPoint = np.zeros(1, np.int64)
        graph.tensors.append(tensor)
        return len(graph.tensors) - 1

    in_steps = schema.TensorT()
    in_steps.name, in_steps.buffer = f"{answer.layer}_in_steps".encode(), 0
    in_steps.type, in_steps.shape = schema.TensorType.FLOAT32, graph.tensors[logits].shape
    graph.tensors.append(in_steps)
    inner = len(graph.tensors) - 1
    inputs = [source, constant(whole, "weights"), constant(bias / steps, "bias")]
    layer.inputs, layer.outputs = np.array(inputs, np.int32), np.array([inner], np.int32)
    builtin = schema.BuiltinOperator
    layer.opcodeIndex = operator_code(schema, tree, builtin.FULLY_CONNECTED, _HYBRID)
    scaling = schema.OperatorT()
    scaling.opcodeIndex = operator_code(schema, tree, builtin.MUL)
    scaling.inputs = np.array([inner, constant(steps, "steps")], np.int32)
    scaling.outputs = np.array([logits], np.int32)
    scaling.builtinOptionsType = schema.BuiltinOptions.MulOptions
    scaling.builtinOptions = schema.MulOptionsT()
    graph.operators = [*graph.operators[: index + 1], scaling, *graph.operators[index + 1 :]]
    drop_unused(tree)
    return pack_tree(tree)


def _floats(tree: Any, tensor: int) -> NDArray[np.float32]:
    buffer = tree.buffers[tree.subgraphs[0].tensors[tensor].buffer]
    return np.frombuffer(np.asarray(buffer.data, np.uint8).tobytes(), np.float32)
