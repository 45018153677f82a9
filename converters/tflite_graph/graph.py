"""The network in a float ``.tflite`` as plain data, and the way back into the file.

What is trained are the file's own tensors, so that nothing lies between what was trained and
what is quantized: batch normalization is folded, padding and fused activations are the file's.
A layer goes by the name of its output tensor, since kernels and biases may be shared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from converters.tflite_graph.segments import logit_names
from edge_effnet.arrays import Float32Array
from edge_effnet.errors import ModelError
from edge_effnet.tflite.editor import pack_tree, read_tree
from edge_effnet.tflite.reader import Operator, Structure, parse_structure

Activation = Literal["linear", "relu", "relu6"]

# Operators that compute the same in every runtime and have a gradient.
LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
OTHERS = ("ADD", "MUL", "SUB", "MEAN", "LOGISTIC", "RELU", "RELU6", "RESHAPE", "PAD")
# Their output keeps the scale of their input; those that cannot be trained among them.
SAME_SCALE = frozenset({"RESHAPE", "PAD", "SQUEEZE", "EXPAND_DIMS"})


@dataclass(frozen=True)
class Node:
    """One operator.

    Attributes:
        kind: its name in the file.
        inputs: tensor names, constants among them; a layer's kernel and bias are not.
        shape: of the output, with a batch of 1.
        strides, dilation: rows and columns.
        axes: of MEAN.
        paddings: of PAD, one pair for each dimension.
    """

    kind: str
    inputs: tuple[str, ...]
    output: str
    shape: tuple[int, ...]
    activation: Activation = "linear"
    strides: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Literal["same", "valid"] = "valid"
    axes: tuple[int, ...] = ()
    keep_dims: bool = False
    paddings: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Weights:
    """Kernel and bias of one layer.

    Attributes:
        kernel: output channels last: rows x columns x inputs x outputs, of a depthwise layer
            rows x columns x outputs, of a dense one inputs x outputs.
        bias: outputs; zeros where the file has none.
    """

    kernel: Float32Array
    bias: Float32Array


@dataclass(frozen=True)
class FloatGraph:
    """A network from its input to its logits.

    Attributes:
        shape: of the input, with a batch of 1.
        nodes: in the order of computation.
        constants: what ADD, MUL and SUB read besides activations, by tensor name.
        layers: weights by the name of the layer's output.
        exact: outputs of the layers and operators that only normalize pixels.
    """

    source: str
    logits: str
    shape: tuple[int, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, Float32Array]
    layers: Mapping[str, Weights]
    exact: frozenset[str]


def read_graph(model: bytes) -> FloatGraph:
    """Read a float model up to its logits.

    Raises:
        ModelError: an operator that cannot be trained, or more than one input or output.
        MissingExtra: the schema package is not installed.
    """
    structure = parse_structure(model, "the float model")
    refuse_unknown(structure)
    _, tree = read_tree(model)
    graph = tree.subgraphs[0]
    image, logits = structure.tensors[structure.inputs[0]], logit_names(structure)[0]
    source, shape = image.name, image.shape
    nodes: list[Node] = []
    constants: dict[str, Float32Array] = {}
    layers: dict[str, Weights] = {}
    exact = {source}
    for operator in structure.operators:
        node = _node(operator, structure, tree, graph.operators[operator.index])
        nodes.append(node)
        if node.kind in LAYERS:
            layers[node.output] = _weights(operator, structure, tree, node)
        else:
            constants.update(
                (structure.tensors[index].name, _constant(tree, index, structure))
                for index in operator.inputs
                if node.kind in {"ADD", "MUL", "SUB"} and structure.tensors[index].constant_bytes
            )
        if _normalizes_pixels(node, exact | constants.keys(), layers):
            exact.add(node.output)
        if node.output == logits:
            break
    return FloatGraph(source, logits, shape, tuple(nodes), constants, layers, frozenset(exact))


def refuse_unknown(structure: Structure) -> None:
    """Refuse what cannot be trained.

    Raises:
        ModelError: an operator without a row here, or more than one input or output.
    """
    ends = len(structure.inputs), len(structure.outputs)
    if ends != (1, 1):
        raise ModelError(
            "quantization-aware training needs a classifier",
            found=f"{ends[0]} inputs and {ends[1]} outputs",
            expected="one image in, one vector of scores out",
            fix="leave quantization-aware training out",
        )
    known = {*LAYERS, *OTHERS, "SOFTMAX"}
    foreign = Counter(op.name for op in structure.operators if op.name not in known)
    if foreign:
        raise ModelError(
            "quantization-aware training does not know all operators of the model",
            found=", ".join(f"{count} × {name}" for name, count in foreign.most_common(5)),
            expected="only " + ", ".join(sorted(known)),
            fix="leave quantization-aware training out; the other ways to int8 work without it",
        )


def _node(operator: Operator, structure: Structure, tree: Any, stored: Any) -> Node:
    options = stored.builtinOptions
    names = [structure.tensors[index].name for index in operator.inputs if index >= 0]
    output = structure.tensors[operator.outputs[0]]
    taken = 2 if operator.name in {"ADD", "MUL", "SUB"} else 1
    more: dict[str, Any] = {}
    if hasattr(options, "fusedActivationFunction"):
        more["activation"] = _activation(options.fusedActivationFunction, output.name)
    if hasattr(options, "strideH"):
        more["strides"] = options.strideH, options.strideW
        more["dilation"] = options.dilationHFactor, options.dilationWFactor
        more["padding"] = ("same", "valid")[options.padding]
    if operator.name in {"MEAN", "PAD"}:
        numbers = _integers(tree, operator.inputs[1])
        if operator.name == "MEAN":
            more["axes"] = tuple(int(number) for number in numbers)
            more["keep_dims"] = bool(options.keepDims)
        else:
            more["paddings"] = tuple((int(a), int(b)) for a, b in numbers.reshape(-1, 2))
    return Node(operator.name, tuple(names[:taken]), output.name, output.shape, **more)


def _activation(code: int, name: str) -> Activation:
    known: dict[int, Activation] = {0: "linear", 1: "relu", 3: "relu6"}
    if code not in known:
        raise ModelError(
            "quantization-aware training does not know an activation of the model",
            found=f"fused activation {code} at {name[-60:]}",
            expected="none, ReLU or ReLU6",
            fix="leave quantization-aware training out; the other ways to int8 work without it",
        )
    return known[code]


def _integers(tree: Any, index: int) -> NDArray[np.int32]:
    tensor = tree.subgraphs[0].tensors[index]
    return np.asarray(tree.buffers[tensor.buffer].data, np.uint8).view(np.int32)


def _constant(tree: Any, index: int, structure: Structure) -> Float32Array:
    tensor = tree.subgraphs[0].tensors[index]
    stored = np.asarray(tree.buffers[tensor.buffer].data, np.uint8)
    return stored.view(np.float32).reshape(structure.tensors[index].shape)


def _weights(operator: Operator, structure: Structure, tree: Any, node: Node) -> Weights:
    kernel = _constant(tree, operator.inputs[1], structure)
    # Rows x columns x outputs lie behind a 1 in a depthwise kernel, outputs first in the others.
    depthwise = node.kind == "DEPTHWISE_CONV_2D"
    kernel = kernel[0] if depthwise else np.moveaxis(kernel, 0, -1)
    has_bias = len(operator.inputs) > 2 and operator.inputs[2] >= 0
    bias = (
        _constant(tree, operator.inputs[2], structure)
        if has_bias
        else np.zeros(node.shape[-1], np.float32)
    )
    return Weights(np.ascontiguousarray(kernel), bias)


def integer_biases(quantized: bytes) -> dict[str, Float32Array]:
    """The biases of an integer model, in real units, by the name of the layer's output.

    They may have been corrected since the model was quantized. Layers that compute in float have
    none.
    """
    structure = parse_structure(quantized, "the quantized model")
    _, tree = read_tree(quantized)
    biases = {}
    for operator in structure.operators:
        if operator.name not in LAYERS or len(operator.inputs) < 3 or operator.inputs[2] < 0:
            continue
        bias = operator.inputs[2]
        if not structure.tensors[bias].scales:
            continue
        scales = np.asarray(structure.tensors[bias].scales, np.float32)
        biases[structure.tensors[operator.outputs[0]].name] = _integers(tree, bias) * scales
    return biases


def _normalizes_pixels(node: Node, known: set[str], layers: Mapping[str, Weights]) -> bool:
    """Whether an operator only scales and shifts pixels: exact as it is, nothing to train."""
    if not set(node.inputs) <= known:
        return False
    if node.kind == "DEPTHWISE_CONV_2D":
        return layers[node.output].kernel.shape[:2] == (1, 1)
    return node.kind in {"ADD", "MUL", "SUB"}


def write_weights(model: bytes, layers: Mapping[str, Weights]) -> bytes:
    """Put trained weights into a float model.

    A kernel or bias that several layers share, or that is missing, becomes the layer's own.

    Args:
        layers: by the name of the layer's output; the others keep theirs.
    """
    schema, tree = read_tree(model)
    graph = tree.subgraphs[0]
    readers = Counter(int(index) for operator in graph.operators for index in operator.inputs)
    for operator in graph.operators:
        weights = layers.get(graph.tensors[operator.outputs[0]].name.decode())
        if weights is None:
            continue
        inputs = [int(index) for index in operator.inputs] + [-1] * (3 - len(operator.inputs))
        old = graph.tensors[inputs[1]]
        kernel = (
            weights.kernel[None]
            if len(old.shape) == 4 and weights.kernel.ndim == 3
            else np.moveaxis(weights.kernel, -1, 0)
        )
        for position, values in ((1, kernel), (2, weights.bias)):
            if inputs[position] < 0 or readers[inputs[position]] > 1:
                tensor = schema.TensorT()
                owner = graph.tensors[operator.outputs[0]].name
                tensor.name = owner + (b";kernel" if position == 1 else b";bias")
                tensor.shape, tensor.type = np.array(values.shape, np.int32), old.type
                graph.tensors.append(tensor)
                inputs[position] = len(graph.tensors) - 1
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values, "<f4").tobytes(), np.uint8)
            tree.buffers.append(buffer)
            graph.tensors[inputs[position]].buffer = len(tree.buffers) - 1
        operator.inputs = np.array(inputs, np.int32)
    _drop_unused(tree)
    return pack_tree(tree)


def _drop_unused(tree: Any) -> None:
    """Empty the buffers that nothing refers to any more."""
    used = {tensor.buffer for graph in tree.subgraphs for tensor in graph.tensors}
    used |= {entry.buffer for entry in tree.metadata or []}
    for index, buffer in enumerate(tree.buffers):
        if index not in used:
            buffer.data = None
