"""Rescaling and ``preprocess_input`` inside a network: what stands before its first layer.

The operators between the input and the first convolution are followed as one affine function
a * x + b per channel. Its zero crossing -b / a and its step 1 / a are the mean and the deviation
that the network itself takes out, in units of what it is fed, and so tell those units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.ways import with_scaling
from edge_effnet.tflite.constants import stored_constant
from edge_effnet.tflite.reader import Operator, Structure

_PASSING = frozenset(
    "QUANTIZE DEQUANTIZE CAST RESHAPE PAD PADV2 MIRROR_PAD RESIZE_BILINEAR "
    "RESIZE_NEAREST_NEIGHBOR IDENTITY".split()
)
_TURNING = frozenset({"REVERSE_V2", "STRIDED_SLICE", "GATHER"})
_ARITHMETIC = frozenset({"MUL", "DIV", "ADD", "SUB"})
Channel = NDArray[np.float64]


@dataclass(frozen=True)
class Affine:
    """a * x + b, one of each per channel or one for all; ``changed`` where anything is done."""

    a: Channel
    b: Channel
    changed: bool


def before_first_layer(model: bytes, structure: Structure) -> Affine:
    """What the network computes of its input before its first layer with weights.

    Operators that only move pixels are passed; anything else ends it, and so does an operator
    that two others read.
    """
    current = structure.inputs[0]
    a, b, changed = np.ones(1), np.zeros(1), False
    for _ in structure.operators:
        readers = [op for op in structure.operators if current in op.inputs]
        if len(readers) != 1 or not readers[0].outputs:
            break
        (reader,) = readers
        if reader.name in _ARITHMETIC:
            step = _step(reader, current, model, structure)
            if step is None:
                break
            a, b, changed = step[0] * a, step[0] * b + step[1], True
        elif reader.name == "DEPTHWISE_CONV_2D":
            step = _depthwise(reader, model, structure)
            if step is None:
                break
            a, b, changed = step[0] * a, step[0] * b + step[1], True
        elif reader.name in _TURNING:
            a, b = a[::-1], b[::-1]  # of channels, where they are turned at all
        elif reader.name not in _PASSING:
            break
        current = reader.outputs[0]
    return Affine(a, b, changed)


def _step(
    operator: Operator, current: int, model: bytes, structure: Structure
) -> tuple[Channel, Channel] | None:
    """The factor and the offset of one operator with a constant; None where it has none."""
    if len(operator.inputs) != 2:
        return None
    first = operator.inputs[0] == current
    constant = _channels(operator.inputs[1 if first else 0], model, structure)
    if constant is None:
        return None
    one, zero = np.ones(1), np.zeros(1)
    if operator.name == "MUL":
        return constant, zero
    if operator.name == "ADD":
        return one, constant
    if operator.name == "SUB":
        return (one, -constant) if first else (-one, constant)
    return (1 / constant, zero) if first and constant.all() else None


def _depthwise(
    operator: Operator, model: bytes, structure: Structure
) -> tuple[Channel, Channel] | None:
    """Of a depthwise 1 x 1 layer that gives each channel a factor."""
    shape = structure.tensors[operator.inputs[1]].shape if len(operator.inputs) > 1 else ()
    if len(shape) != 4 or shape[:3] != (1, 1, 1) or shape[3] > 3:
        return None
    kernel = _channels(operator.inputs[1], model, structure)
    has_bias = len(operator.inputs) > 2 and operator.inputs[2] >= 0
    bias = _channels(operator.inputs[2], model, structure) if has_bias else np.zeros(1)
    return None if kernel is None or bias is None else (kernel, bias)


def _channels(index: int, model: bytes, structure: Structure) -> Channel | None:
    """A constant of one number or of one for each of three channels."""
    if index < 0:
        return None
    try:
        values = stored_constant(model, structure, index)
    except ValueError:
        return None
    if values is None or values.size not in (1, 3) or not np.isfinite(values).all():
        return None
    return values.reshape(-1).astype(np.float64)


_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def by_rescaling(model: bytes, structure: Structure, base: Preprocess) -> Evidence | None:
    """What a rescaling inside the network says it is fed; None where there is none."""
    inside = before_first_layer(model, structure)
    if not inside.changed or not inside.a.all():
        return None
    mean = float(np.mean(-inside.b / inside.a))
    std = float(np.mean(np.abs(1 / inside.a)))
    name = _fed(mean, std)
    if name is None:
        return None
    return Evidence(with_scaling(base, name), "a rescaling inside the network", "inferred")


def _fed(mean: float, std: float) -> str | None:
    """The scaling whose values a network takes so much mean and deviation out of."""
    if mean > 2 or (abs(mean) <= 2 and std > 8):
        return "raw"
    if 0.2 <= mean <= 0.8 and 0.05 <= std <= 1.1:
        return "unit"
    if abs(mean + 1) < 0.05 and std < 0.05:  # (x + 1) * 127.5
        return "tf"
    if abs(mean) < 0.02 and std < 0.05:  # x * 255
        return "unit"
    return None
