"""Products that round alike on every CPU.

XNNPACK multiplies int8 by int8 and scales the product by m = (scale of a) (scale of b) / (scale
of the result): on x86 in float32, on Arm in fixed point. The two differ where a scaled product
falls next to a half, about once in 2^16, and whatever comes behind carries it on. Where m is
1 / n with an odd n, no product comes nearer to a half than 1 / 2n: both round it the same way.
So the scale of every product moves to the nearest such value, by half a percent mostly, and a
file answers on a Raspberry Pi as it did where it was measured.
"""

from __future__ import annotations

from converters.ranges import Ranges
from edge_effnet.tflite_file import Operator, Structure

_STEPS = 255
# Of LOGISTIC, by the runtime's rule.
_SIGMOID_SCALE = 1 / 256
# Their output has the scale of their input.
_SAME_SCALE = {"RESHAPE", "PAD", "SQUEEZE", "EXPAND_DIMS"}
# 1 / 2n must stay far above what float32 and fixed point leave in doubt (2^-17).
_LARGEST = 4095


def settle_products(structure: Structure, ranges: Ranges) -> Ranges:
    """The same ranges but for those of products of two activations.

    Args:
        structure: of the float model.
        ranges: of every activation that becomes int8.
    """
    settled = dict(ranges)
    makers = {operator.outputs[0]: operator for operator in structure.operators}
    for operator in structure.operators:
        if operator.name != "MUL":
            continue
        scales = [_scale(index, structure, makers, settled) for index in operator.inputs]
        name = structure.tensors[operator.outputs[0]].name
        if name not in settled or None in scales:
            continue  # a constant, or left in float
        unit = float(scales[0] or 0) * float(scales[1] or 0)
        settled[name] = _settled(settled[name], unit)
    return settled


def _settled(wanted: tuple[float, float], unit: float) -> tuple[float, float]:
    """The range nearest to one whose step is an odd number of units."""
    low, high = min(wanted[0], 0.0), max(wanted[1], 0.0)
    factor = (high - low) / _STEPS / unit if unit > 0 else 0.0
    odd = 2 * round((factor - 1) / 2) + 1
    if not 1 <= odd <= _LARGEST:
        return wanted
    step = odd * unit
    below = min(max(round(-low / step), 0), _STEPS)  # steps under zero
    return -below * step, (_STEPS - below) * step


def _scale(
    index: int, structure: Structure, makers: dict[int, Operator], ranges: Ranges
) -> float | None:
    """Of an activation in int8; None for a constant and for what is not known."""
    maker = makers.get(index)
    if maker is not None and maker.name == "LOGISTIC":
        return _SIGMOID_SCALE
    if maker is not None and maker.name in _SAME_SCALE:
        return _scale(maker.inputs[0], structure, makers, ranges)
    known = ranges.get(structure.tensors[index].name)
    if known is None or structure.tensors[index].constant_bytes:
        return None
    return (max(known[1], 0.0) - min(known[0], 0.0)) / _STEPS
