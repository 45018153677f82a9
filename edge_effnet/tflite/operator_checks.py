"""What the operators that we know must have: inputs, outputs and options."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edge_effnet.tflite.flatbuffer import Table
from edge_effnet.tflite.reader import Operator, Tensor

_LARGEST_STEP = 1 << 16  # of a stride, a dilation or a window: above every image's side
_MANY = 1 << 16


@dataclass(frozen=True)
class _Count:
    """How many inputs and outputs an operator has; inputs past ``needed`` may be left out (-1)."""

    needed: int
    most: int
    outputs: int = 1


_COUNTS = {
    **dict.fromkeys(
        "AVERAGE_POOL_2D MAX_POOL_2D L2_POOL_2D SOFTMAX LOG_SOFTMAX LOGISTIC RELU RELU6 "
        "RELU_N1_TO_1 RELU_0_TO_1 TANH ELU GELU HARD_SWISH LEAKY_RELU QUANTIZE DEQUANTIZE CAST "
        "L2_NORMALIZATION LOCAL_RESPONSE_NORMALIZATION SQRT RSQRT SQUARE EXP LOG ABS NEG FLOOR "
        "CEIL ROUND SIN COS SHAPE RANK SPACE_TO_DEPTH DEPTH_TO_SPACE SQUEEZE".split(),
        _Count(1, 1),
    ),
    **dict.fromkeys(
        "ADD SUB MUL DIV MAXIMUM MINIMUM SQUARED_DIFFERENCE POW FLOOR_DIV FLOOR_MOD PRELU PAD "
        "MIRROR_PAD MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD TRANSPOSE RESIZE_BILINEAR "
        "RESIZE_NEAREST_NEIGHBOR EXPAND_DIMS ARG_MAX ARG_MIN GATHER BATCH_MATMUL TILE "
        "BROADCAST_TO".split(),
        _Count(2, 2),
    ),
    **dict.fromkeys("PADV2 SLICE SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND".split(), _Count(3, 3)),
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), _Count(2, 3)),
    "TRANSPOSE_CONV": _Count(3, 4),
    "STRIDED_SLICE": _Count(4, 4),
    "RESHAPE": _Count(1, 2),
}
_ANY_INPUTS = {"CONCATENATION", "PACK"}
_SIZES = {  # fields of the options table that are 1 or more, with their defaults
    "CONV_2D": {1: 0, 2: 0, 4: 1, 5: 1},
    "DEPTHWISE_CONV_2D": {1: 0, 2: 0, 5: 1, 6: 1},
    "AVERAGE_POOL_2D": {1: 0, 2: 0, 3: 0, 4: 0},
    "MAX_POOL_2D": {1: 0, 2: 0, 3: 0, 4: 0},
    "L2_POOL_2D": {1: 0, 2: 0, 3: 0, 4: 0},
    "TRANSPOSE_CONV": {1: 0, 2: 0},
    "SPACE_TO_DEPTH": {0: 0},
    "DEPTH_TO_SPACE": {0: 0},
}


def operator_problem(operator: Operator, table: Table, tensors: Sequence[Tensor]) -> str | None:
    """What is wrong with an operator; None where nothing is, and for operators we do not know.

    Args:
        table: the operator in the file.
        tensors: of its graph, whose shapes and scales are right in themselves.
    """
    return next(_problems(operator, table, tensors), None)


def _problems(operator: Operator, table: Table, tensors: Sequence[Tensor]) -> Iterator[str]:
    name, count = operator.name, _COUNTS.get(operator.name)
    if count is None and name in _ANY_INPUTS:
        count = _Count(len(operator.inputs) or 1, _MANY)
    if count is None:
        return
    given = operator.inputs
    if not count.needed <= len(given) <= count.most or len(operator.outputs) < count.outputs:
        yield f"{len(given)} inputs and {len(operator.outputs)} outputs"
    if -1 in given[: count.needed]:
        yield "an input that is left out"
    options = table.table(4)
    for field, default in _SIZES.get(name, {}).items():
        size = options.scalar(field, "<i", default) if options else default
        if not 1 <= size <= _LARGEST_STEP:
            yield f"a stride, dilation or window of {size}"
    check = _CHECKS.get(name)
    if check is not None:
        yield from check(operator, options, [tensors[index] for index in given if index >= 0])


def _softmax(_: Operator, options: Table | None, __: Sequence[Tensor]) -> Iterator[str]:
    beta = options.real(0) if options else 0.0
    if not 0 <= beta < math.inf:
        yield f"a beta of {beta}"


def _axis(_: Operator, options: Table | None, inputs: Sequence[Tensor]) -> Iterator[str]:
    axis = options.scalar(0, "<i") if options else 0
    rank = len(inputs[0].shape)
    if not inputs[0].shape_unknown and not -rank <= axis < max(rank, 1):
        yield f"an axis of {axis} for {rank} dimensions"


def _convolution(operator: Operator, _: Table | None, inputs: Sequence[Tensor]) -> Iterator[str]:
    image, kernel = inputs[:2]
    depthwise = operator.name == "DEPTHWISE_CONV_2D"
    if kernel.shape_unknown:
        return
    if len(kernel.shape) != 4 or 0 in kernel.shape:
        yield f"a kernel of shape {list(kernel.shape)[:8]}"
        return
    if kernel.constant_bytes and len(image.shape) == 4:
        within, own = image.shape[3], kernel.shape[3]
        if own % max(within, 1) if depthwise else within % own:
            yield f"a kernel of {own} channels for {within}"
    yield from _products(operator, inputs)


def _products(_: Operator, inputs: Sequence[Tensor]) -> Iterator[str]:
    """The bias has one value for each channel, of the products' scale."""
    if len(inputs) < 3 or not inputs[2].constant_bytes:
        return
    kernel, bias = inputs[1:3]
    channels = {kernel.shape[0], kernel.shape[-1]} if kernel.shape else {1}
    if bias.elements not in channels:
        yield f"{bias.elements} biases for a kernel of {list(kernel.shape)[:8]}"


def _full(operator: Operator, _: Table | None, inputs: Sequence[Tensor]) -> Iterator[str]:
    weights = inputs[1]
    if weights.shape_unknown:
        return
    if len(weights.shape) != 2 or 0 in weights.shape:
        yield f"weights of shape {list(weights.shape)[:8]}"
        return
    yield from _products(operator, inputs)


_Check = Callable[[Operator, Table | None, Sequence[Tensor]], Iterator[str]]
_CHECKS: dict[str, _Check] = {
    "SOFTMAX": _softmax,
    "CONCATENATION": _axis,
    "GATHER": _axis,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "FULLY_CONNECTED": _full,
}
