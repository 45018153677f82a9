"""Chooses scales of elementwise products so that XNNPACK requantizes identically on x86 and Arm.

XNNPACK multiplies int8 by int8 and scales the product by m = (scale of a) (scale of b) / (scale
of the result): on x86 in float32, on Arm in fixed point. The two differ where a scaled product
falls next to a half, about once in 2^16, and whatever comes behind carries it on. Where m is
1 / n with an odd n, no product comes nearer to a half than 1 / 2n: both round it the same way.
So the scale of every product moves to the nearest such value, by half a percent mostly, and a
file answers on a Raspberry Pi as it did where it was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from converters.tflite_graph.graph import SAME_SCALE
from edge_effnet.tflite.reader import Structure

Operation = tuple[str, Sequence[str], str]
"""An operator: its kind, what it reads and what it makes, by tensor names."""

_STEPS = 255
# Of LOGISTIC, by the runtime's rule.
_SIGMOID_SCALE = 1 / 256
# 1 / 2n must stay far above what float32 and fixed point leave in doubt (2^-17).
_LARGEST = 4095


def operations_of(structure: Structure) -> list[Operation]:
    """The operators of a float model."""
    names = [tensor.name for tensor in structure.tensors]
    return [
        (op.name, [names[i] for i in op.inputs if i >= 0], names[op.outputs[0]])
        for op in structure.operators
    ]


def settle_product_scales(
    operations: Sequence[Operation], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """The same ranges but for those of products of two activations.

    Args:
        operations: in the order of computation.
        ranges: of every activation that becomes int8; constants have none.
    """
    settled = dict(ranges)
    makers = {made: (kind, read) for kind, read, made in operations}
    for kind, read, made in operations:
        if kind != "MUL" or made not in settled:
            continue
        scales = [_scale(name, makers, settled) for name in read]
        if None not in scales:  # else a constant, or left in float
            unit = float(scales[0] or 0) * float(scales[1] or 0)
            settled[made] = _settled(settled[made], unit)
    return settled


def _settled(given: tuple[float, float], unit: float) -> tuple[float, float]:
    """The range nearest to one whose step is an odd number of units."""
    low, high = min(given[0], 0.0), max(given[1], 0.0)
    factor = (high - low) / _STEPS / unit if unit > 0 else 0.0
    odd = 2 * round((factor - 1) / 2) + 1
    if not 1 <= odd <= _LARGEST:
        return given
    step = odd * unit
    below = min(max(round(-low / step), 0), _STEPS)  # steps under zero
    return -below * step, (_STEPS - below) * step


def _scale(
    name: str,
    makers: Mapping[str, tuple[str, Sequence[str]]],
    ranges: Mapping[str, tuple[float, float]],
) -> float | None:
    """Of an activation in int8; None for a constant and for what is not known."""
    kind, read = makers.get(name, ("", ()))
    if kind == "LOGISTIC":
        return _SIGMOID_SCALE
    if kind in SAME_SCALE:
        return _scale(read[0], makers, ranges)
    own = ranges.get(name)
    return None if own is None else (max(own[1], 0.0) - min(own[0], 0.0)) / _STEPS
