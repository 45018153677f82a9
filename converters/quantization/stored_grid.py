"""Keeps the steps of weights that were 8-bit integers before.

A file with a dynamic range that was turned back into float has weights that are whole multiples
of a step. The quantizer finds the steps of a channel again from its largest weight, which is 127
of them. But old files have one step for a whole tensor: in most of its channels the largest
weight is fewer steps, and other steps would round every weight a second time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters.tflite_graph.layers import LARGEST_BIAS
from edge_effnet.tflite.editor import writable_constant, writable_scales
from edge_effnet.tflite.reader import Structure, parse_structure

_LAYERS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
_LARGEST = 127
# In steps: far more than float32 leaves of a whole number, far less than chance would.
_EXACT = 1e-3


def keep_stored_grid(model: bytes, quantized: bytes) -> bytes:
    """Store kernels that have one step for all channels with that step, so exactly.

    Args:
        model: the float model that ``quantized`` was made from.
        quantized: full integer; left as it is.

    Returns:
        The same file but for those kernels, their biases and the scales of both.
    """
    original, structure = parse_structure(model, "the model"), parse_structure(quantized, "it")
    makers = {original.tensors[op.outputs[0]].name: op for op in original.operators}
    floats, kept = bytearray(model), bytearray(quantized)
    for operator in structure.operators:
        name = structure.tensors[operator.outputs[0]].name.removesuffix("_quantized")  # an end
        maker = makers.get(name)
        if operator.name not in _LAYERS or maker is None or maker.name != operator.name:
            continue
        source, kernel, *biases = (index for index in operator.inputs if index >= 0)
        constants = [_constant(floats, original, index) for index in maker.inputs[1:] if index >= 0]
        known = [values for values in constants if values is not None]
        stored = structure.tensors[kernel]
        if len(known) != 1 + len(biases) or stored.dtype != "int8" or len(stored.scales) < 2:
            continue
        weights, *offsets = known
        if (step := _step_of_all(weights)) is not None:
            _store(kept, kernel, weights, step)
            for bias, offset in zip(biases, offsets, strict=True):
                _store(kept, bias, offset, step * np.float32(structure.tensors[source].scales[0]))
    return bytes(kept)


def _constant(model: bytearray, structure: Structure, tensor: int) -> NDArray[np.float32] | None:
    """The values of a constant, flat; None where it is none in float32."""
    stored = structure.tensors[tensor]
    if stored.dtype != "float32" or not stored.constant_bytes:
        return None
    return writable_constant(model, tensor).view(np.float32)


def _step_of_all(weights: NDArray[np.float32]) -> np.float32 | None:
    """The step that all weights are multiples of; None where there is none."""
    step = np.float32(np.abs(weights).max() / _LARGEST)
    if step == 0:
        return None
    few = weights[:64]  # which tell nearly always
    exact = all(
        np.abs(part / step - np.rint(part / step)).max() < _EXACT for part in (few, weights)
    )
    return step if exact else None


def _store(model: bytearray, tensor: int, values: NDArray[np.float32], step: np.float32) -> None:
    """Write a kernel in int8, or a bias in int32, and its scales."""
    writable_scales(model, tensor)[:] = step
    stored = writable_constant(model, tensor)
    wide = stored.size > values.size
    largest = LARGEST_BIAS if wide else _LARGEST
    whole = np.clip(np.rint(values / step), -largest, largest)
    stored.view(np.int32 if wide else np.int8)[:] = whole
