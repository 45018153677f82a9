"""What the Edge TPU can do with one operator.

From the table "Supported operations" and the section "Model requirements" of
coral.ai/docs/edgetpu/models-intro (compiler version 16): tensors of 8-bit integers, constant
sizes and parameters, at most the three innermost dimensions larger than 1, and a limit or two
for each operator. Limits that the page only hints at come from the compiler's public issue
tracker, from compiled networks, and from what github.com/jiaheguo521/int8-pruning-pipeline found
with compiler 16; they are named where they stand. A new rule is a function and a row of ``RULES``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from converters.edgetpu.graph import Graph
from edge_effnet.runtime.edgetpu import OPERATOR
from edge_effnet.tflite.reader import Operator, Tensor

_BYTES = {"int8", "uint8"}
ON_CHIP_BYTES = 8_000_000
# The page says 16,000 and means 16 K: a network with 128 x 128 = 16,384 scores was mapped.
MAX_SOFTMAX = 16 * 1024
# google-coral/edgetpu issue 461: a mean over 256 x 128 positions is refused, 64 x 128 is taken.
MEAN_TAKEN, MEAN_REFUSED = 64 * 128, 256 * 128
# Bilinear weights are multiples of 1 / (scale_y * scale_x), and the compiler refuses what "won't
# run precisely enough" (issue 63). In 256 steps the whole weight is 256, one more than 8 bits hold:
# 33 -> 513 with aligned corners, 16 x 16, was refused, 1 -> 33 too. 2 x 2 was mapped.
RESIZE_TAKEN, RESIZE_REFUSED = 2 * 2, 16 * 16
_NO_ACTIVATION = 0


@dataclass(frozen=True)
class Refusal:
    """Why an operator stays on the CPU: in words, and as a code for what to do about it."""

    reason: str
    code: Literal["float", "too_large", "unsupported"] = "unsupported"


Rule = Callable[[Operator, Graph], Refusal | str | None]
"""Answers with why the operator is refused, in words where it is ``unsupported``, or None."""


def refusal(op: Operator, graph: Graph) -> Refusal | None:
    """Why the compiler would leave this operator on the CPU, or None where it would not."""
    if op.name == OPERATOR:
        return Refusal("it has the name of the compiler's own operator, but not its program")
    if op.name.startswith("CUSTOM:"):
        return Refusal("a custom operator, which the compiler does not know")
    if op.name not in RULES:
        return Refusal("the Edge TPU has no such operator")
    for index in (i for i in (*op.inputs, *op.outputs) if i >= 0):
        if bad := _bad_tensor(op, graph.tensor(index)):
            return bad
        if graph.outside(index):  # int8-pruning-pipeline: 3 of 345 operators were mapped
            return Refusal("its constants lie behind the model, where the compiler does not look")
    refused = next((found for rule in RULES[op.name] if (found := rule(op, graph))), None)
    return Refusal(refused) if isinstance(refused, str) else refused


def unproven(op: Operator, graph: Graph) -> str | None:
    """What of a supported operator lies beyond any outcome seen, or None."""
    if op.name == "MEAN" and _mean_positions(op, graph) > MEAN_TAKEN:
        return f"a mean over {_mean_positions(op, graph):,} positions is unproven"
    if op.name == "RESIZE_BILINEAR" and _resize_steps(op, graph) > RESIZE_TAKEN:
        return "an enlargement to more than twice the size is unproven"
    if op.name == "TRANSPOSE" and _moves_channels(op, graph):
        return "a transpose that moves the channels is unproven: compilers' logs have both outcomes"
    return None


def _bad_tensor(op: Operator, tensor: Tensor) -> Refusal | None:
    if any(side < 1 for side in tensor.shape):
        return Refusal("a tensor's size is not constant")
    if tensor.constant_bytes and tensor.dtype in {"int32", "int64", "int16", "bool"}:
        return None  # biases, shapes, axes
    if tensor.dtype not in _BYTES:
        # An LSTM keeps its cell state in 16 bits, within the operator.
        if op.name == "UNIDIRECTIONAL_SEQUENCE_LSTM" and tensor.dtype == "int16":
            return None
        return Refusal(
            f"works on {tensor.dtype}; the Edge TPU computes in int8 and uint8",
            "float" if tensor.dtype == "float32" else "unsupported",
        )
    if not tensor.scales:
        return Refusal("a tensor is not quantized")
    if not tensor.constant_bytes and math.prod(tensor.shape[:-3]) != 1:
        return Refusal("a tensor has more than three dimensions larger than 1")
    return None


def _first(op: Operator, graph: Graph) -> Tensor:
    """The first input that is data: SPLIT and TRANSPOSE_CONV name a number before it."""
    index = {"SPLIT": 1, "TRANSPOSE_CONV": 2}.get(op.name, 0)
    return graph.tensor(op.inputs[index])


def _constant(*indices: int) -> Rule:
    """The inputs with these indices must be constants."""

    def check(op: Operator, graph: Graph) -> str | None:
        for index in indices:
            if index < len(op.inputs) and op.inputs[index] >= 0:
                tensor = graph.tensor(op.inputs[index])
                if not tensor.constant_bytes and tensor.elements:
                    return "its parameters are not constant"
        return None

    return check


def _no_activation(field: int) -> Rule:
    """The fused activation, option ``field``, must be none."""

    def check(op: Operator, graph: Graph) -> str | None:
        if graph.option(op, field, "<b", _NO_ACTIVATION) != _NO_ACTIVATION:
            return "an activation is fused into it; make it an operator of its own"
        return None

    return check


def _same_dilation(x_field: int) -> Rule:
    def check(op: Operator, graph: Graph) -> str | None:
        across = graph.option(op, x_field, "<i", 1)
        down = graph.option(op, x_field + 1, "<i", 1)
        return None if across == down else "its dilation differs between x and y"

    return check


def _no_groups(op: Operator, graph: Graph) -> str | None:
    channels, taken = graph.tensor(op.inputs[0]).shape[-1], graph.tensor(op.inputs[1]).shape[-1]
    return None if channels == taken else "a grouped convolution"


def _plain_fully_connected(op: Operator, graph: Graph) -> str | None:
    if graph.option(op, 1, "<b", 0) != 0:
        return "its weights are stored in a shuffled format"
    if math.prod(graph.tensor(op.outputs[0]).shape[:-1]) != 1:
        return "its output has more than one dimension"
    return None


def _constant_part(op: Operator, graph: Graph) -> str | None:
    """A constant among joined tensors pads with zeros, and there may be one other tensor."""
    constant = [index for index in op.inputs if index >= 0 and graph.tensor(index).constant_bytes]
    if constant and len(op.inputs) != 2:
        return "a constant is joined to more than one tensor"
    if not all(graph.zeros(index) for index in constant):
        return "a constant other than zeros is joined to a tensor"
    return None


def _axes_inside(op: Operator, graph: Graph) -> str | None:
    """Reductions may not touch the batch; over channels their number must be divisible by 4."""
    axes, tensor = graph.integers(op.inputs[1]), _first(op, graph)
    if axes is None:
        return "its axes are not constant"
    rank = len(tensor.shape)
    indices = {axis % rank for axis in axes}
    if 0 in indices and rank > 1 and tensor.shape[0] != 1:
        return "it reduces the batch"
    if op.name == "MEAN" and rank - 1 in indices and rank > 2 and tensor.shape[-1] % 4:
        return "it averages over channels whose number is not divisible by 4"
    return None


def _mean_positions(op: Operator, graph: Graph) -> int:
    axes, shape = graph.integers(op.inputs[1]) or (), _first(op, graph).shape
    return math.prod(shape[axis] for axis in {axis % len(shape) for axis in axes})


def _mean_size(op: Operator, graph: Graph) -> str | None:
    positions = _mean_positions(op, graph)
    if positions >= MEAN_REFUSED:
        return f"it averages {positions:,} positions; {MEAN_TAKEN:,} are known to work"
    return None


def _resize(op: Operator, graph: Graph) -> Refusal | str | None:
    if math.prod(graph.tensor(op.outputs[0]).shape) > ON_CHIP_BYTES:
        return Refusal("its output does not fit into the device's memory", "too_large")
    if op.name == "RESIZE_BILINEAR" and _resize_steps(op, graph) >= RESIZE_REFUSED:
        return "it enlarges so much that 8 bits cannot hold the weights between two pixels"
    return None


def _resize_steps(op: Operator, graph: Graph) -> float:
    """Steps between four neighbouring pixels, down times across; 1 where nothing is enlarged."""
    before, after = _first(op, graph).shape[1:3], graph.tensor(op.outputs[0]).shape[1:3]
    aligned = graph.option(op, 2, "<b", 0)  # the corners' centres stay in place
    sides = zip(before, after, strict=True)
    return math.prod(
        max(1.0, (new - 1) / (old - 1) if aligned and old > 1 else new / old) for old, new in sides
    )


def _softmax(op: Operator, graph: Graph) -> str | None:
    shape = _first(op, graph).shape
    if math.prod(shape[:-1]) != 1:
        return "softmax over more than one row"
    return f"softmax over more than {MAX_SOFTMAX:,} scores" if shape[-1] > MAX_SOFTMAX else None


def _split(op: Operator, graph: Graph) -> str | None:
    axis, tensor = graph.integers(op.inputs[0]), _first(op, graph)
    if axis is None:
        return "its axis is not constant"
    if len(op.outputs) > 1 and axis[0] % len(tensor.shape) == 0 and len(tensor.shape) > 1:
        return "it splits the batch"  # into one part it changes nothing, and is mapped
    return None


def _strided_slice(op: Operator, graph: Graph) -> str | None:
    strides = graph.integers(op.inputs[3]) if len(op.inputs) > 3 else None
    if strides is None or any(stride != 1 for stride in strides):
        return "its strides are not all 1"
    if graph.option(op, 2, "<i", 0) or graph.option(op, 3, "<i", 0):
        return "it has an ellipsis or a new axis"
    return None


def _alpha(op: Operator, graph: Graph) -> str | None:
    shape = graph.tensor(op.inputs[1]).shape
    return None if math.prod(shape[:-1]) == 1 else "its slopes are not one per channel"


def _moves_channels(op: Operator, graph: Graph) -> bool:
    order = graph.integers(op.inputs[1]) or ()
    return bool(order) and order[-1] != len(order) - 1


def _transpose(op: Operator, graph: Graph) -> str | None:
    # Issue 433 and int8-pruning-pipeline, compiler 16; of other orders logs have both outcomes.
    order, shape = graph.integers(op.inputs[1]), _first(op, graph).shape
    # With a single side above 1 the numbers stay where they are.
    turned = order in {(0, 3, 1, 2), (0, 2, 3, 1)} and sorted(shape)[-2] > 1
    return "it turns channels last into channels first, or back" if turned else None


def _pack(op: Operator, graph: Graph) -> str | None:
    rank = len(graph.tensor(op.outputs[0]).shape)
    return "it packs the batch" if graph.option(op, 1, "<i", 0) % rank == 0 else None


def _pad(op: Operator, graph: Graph) -> str | None:
    amounts = graph.integers(op.inputs[1])
    if amounts is None:
        return "its amounts are not constant"
    if graph.tensor(op.inputs[1]).dtype != "int32":  # int8-pruning-pipeline
        return "its amounts are int64, of which the compiler reads every half as a number"
    rank = len(_first(op, graph).shape)
    return "it pads the batch" if rank == 4 and any(amounts[:2]) else None


# Supported whatever their parameters.
_WITHOUT_RULES = """
    ADD EXPAND_DIMS L2_NORMALIZATION LOGISTIC MAXIMUM MINIMUM MUL QUANTIZE RELU RELU6
    RELU_N1_TO_1 RSQRT SPACE_TO_DEPTH SQUARED_DIFFERENCE SQUEEZE SUB TANH
    UNIDIRECTIONAL_SEQUENCE_LSTM
"""
RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(_WITHOUT_RULES.split(), ()),
    "AVERAGE_POOL_2D": (_no_activation(5),),
    "CONCATENATION": (_no_activation(1), _constant_part),
    "CONV_2D": (_constant(1, 2), _same_dilation(4), _no_groups),
    "DEPTHWISE_CONV_2D": (_constant(1, 2), _same_dilation(5)),
    # With a scale per channel too: mapped in two networks of one layer, and in the MobileNetV2,
    # ResNet-50, MnasNet and EfficientNet-Lite0 of int8-pruning-pipeline.
    "FULLY_CONNECTED": (_constant(1, 2), _plain_fully_connected),
    "MAX_POOL_2D": (_no_activation(5),),
    "MEAN": (_axes_inside, _mean_size),
    "PACK": (_pack,),
    "PAD": (_pad,),
    "PRELU": (_constant(1), _alpha),
    "REDUCE_MAX": (_axes_inside,),
    "REDUCE_MIN": (_axes_inside,),
    "RESHAPE": (_constant(1),),
    "RESIZE_BILINEAR": (_constant(1), _resize),
    "RESIZE_NEAREST_NEIGHBOR": (_constant(1), _resize),
    "SLICE": (_constant(1, 2),),
    "SOFTMAX": (_softmax,),
    "SPLIT": (_split,),
    "STRIDED_SLICE": (_constant(1, 2, 3), _strided_slice),
    "SUM": (_axes_inside,),
    "TILE": (_constant(1),),  # not on the page; one behind a global average pooling was mapped
    "TRANSPOSE": (_constant(1), _transpose),
    "TRANSPOSE_CONV": (_constant(0, 1),),
}
