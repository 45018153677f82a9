"""The layers of an integer model that can be corrected, and the function behind each.

The error of a layer in front of a swish or sigmoid is measured behind it: its large negative
answers are worth nothing there, yet would dominate a plain mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edge_effnet.arrays import Float32Array
from edge_effnet.tflite.reader import Operator, Structure, Tensor

Follower = Literal["none", "relu", "sigmoid", "swish"]

# Times the median power: see ``without_outliers``.
_LOUDEST = 4
# Leaves room for the sum of products in the 32-bit accumulator.
LARGEST_BIAS = 2**30


@dataclass(frozen=True)
class QuantizedLayer:
    """A convolution or dense layer with a bias; tensor indices throughout.

    Attributes:
        source, kernel, bias, output: what it reads and makes in the integer model.
        activation: the output of the function behind it, else its own.
        float_output, float_activation: the same tensors in the float model.
        follower: that function. A ReLU or ReLU6 is part of the layer: its output is cut.
    """

    source: int
    kernel: int
    bias: int
    output: int
    activation: int
    float_output: int
    float_activation: int
    follower: Follower


def quantized_layers(quantized: Structure, model: Structure) -> list[QuantizedLayer]:
    """Those of an integer model that a float one has too, in the order of computation.

    The normalization of pixels is no layer here: it is exact as it is.
    """
    indices = {tensor.name: index for index, tensor in enumerate(model.tensors)}
    layers = []
    for operator in quantized.operators:
        if operator.name not in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}:
            continue
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            continue
        source, kernel, bias = operator.inputs[:3]
        pixelwise = quantized.tensors[kernel].shape[:3] == (1, 1, 1)
        if operator.name == "DEPTHWISE_CONV_2D" and pixelwise:
            continue
        follower, activation = _follower(quantized, operator)
        output = operator.outputs[0]
        names = quantized.tensors[output].name, quantized.tensors[activation].name
        left_float = not all(quantized.tensors[index].scales for index in (output, activation))
        if left_float or not all(name in indices for name in names):
            continue
        float_output, float_activation = (indices[name] for name in names)
        layers.append(
            QuantizedLayer(
                source, kernel, bias, output, activation, float_output, float_activation, follower
            )
        )
    return layers


def _follower(structure: Structure, operator: Operator) -> tuple[Follower, int]:
    """What reads a layer's output, and the tensor behind that."""
    output = operator.outputs[0]
    if _cut_at_zero(structure.tensors[output]):
        return "relu", output
    readers = [reader for reader in structure.operators if output in reader.inputs]
    names = sorted(reader.name for reader in readers)
    if names == ["LOGISTIC"]:
        return "sigmoid", readers[0].outputs[0]
    if names == ["LOGISTIC", "MUL"]:
        product = next(reader for reader in readers if reader.name == "MUL")
        gate = next(reader for reader in readers if reader.name == "LOGISTIC")
        if set(product.inputs) == {output, gate.outputs[0]}:
            return "swish", product.outputs[0]
    return "none", output


def _cut_at_zero(tensor: Tensor) -> bool:
    return bool(tensor.zero_points) and tensor.zero_points[0] == np.iinfo(np.int8).min


def slope(output: Float32Array, follower: Follower) -> Float32Array:
    """Derivative of the function behind a layer, at the layer's float output.

    A ReLU6 counts as a ReLU: it hardly ever cuts above.
    """
    if follower == "none":
        return np.ones_like(output)
    if follower == "relu":
        return np.asarray(output > 0, np.float32)
    gate = 1 / (1 + np.exp(-np.clip(output, -30, 30)))
    if follower == "sigmoid":
        return np.asarray(gate * (1 - gate), np.float32)
    return np.asarray(gate * (1 + output * (1 - gate)), np.float32)


def without_outliers(powers: Sequence[float]) -> list[int]:
    """The indices of images that a layer may learn from.

    Some networks give an odd image logits ten times as large as all others, far beyond the range of
    the integers: clipped as it is, it alone would decide every sum of squares.

    Args:
        powers: mean square of the layer's float output for each image.
    """
    limit = _LOUDEST * float(np.median(powers))
    return [index for index, power in enumerate(powers) if power <= limit]
