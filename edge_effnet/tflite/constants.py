"""The numbers that a ``.tflite`` stores, read with the standard library and NumPy."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from edge_effnet.tflite.flatbuffer import Table
from edge_effnet.tflite.reader import Operator, Structure

_STORED = {"float32": "<f4", "float16": "<f2", "int8": "i1", "uint8": "u1", "int32": "<i4"}


def stored_constant(model: bytes, structure: Structure, index: int) -> NDArray[np.float32] | None:
    """A constant tensor in real units, float32 in its own shape.

    Returns:
        None for an activation, or for a type that holds no weights.

    Raises:
        ValueError: the file does not hold as many numbers as the tensor has.
    """
    tensor = structure.tensors[index]
    if not tensor.constant_bytes or tensor.dtype not in _STORED:
        return None
    try:
        root = Table.root(memoryview(model))
        table = root.tables(2)[0].tables(0)[index]
        buffer = root.tables(4)[table.scalar(2, "<I")]
        start = buffer.scalar(1, "<Q")
        data = buffer.raw(0) or model[start : start + buffer.scalar(2, "<Q")]
    except (struct.error, IndexError) as error:
        raise ValueError(f"tensor {tensor.name!r} has no readable data") from error
    values = np.frombuffer(data, _STORED[tensor.dtype])
    if values.size != tensor.elements:
        raise ValueError(f"{tensor.name!r}: {values.size} numbers, {tensor.elements} expected")
    values = values.reshape(tensor.shape).astype(np.float32)
    if not tensor.scales:
        return values
    along = [1] * values.ndim
    if len(tensor.scales) > 1:
        if not 0 <= tensor.channel_axis < values.ndim:
            raise ValueError(f"{tensor.name!r} has no dimension {tensor.channel_axis}")
        along[tensor.channel_axis] = len(tensor.scales)
    scales = np.asarray(tensor.scales, np.float32).reshape(along)
    points = np.asarray(tensor.zero_points or (0,), np.float32)
    points = points.reshape(along) if points.size == scales.size else points[:1]
    return np.asarray((values - points) * scales, np.float32)


def layer_kernel(model: bytes, structure: Structure, layer: Operator) -> NDArray[np.float32] | None:
    """A layer's kernel in real units, through the DEQUANTIZE that float16 files put before it, and
    with the steps that a MUL behind a dense layer gives its outputs (``convert --int8``); None
    where it has none, or one that cannot be read."""
    if len(layer.inputs) <= 1 or layer.inputs[1] < 0:
        return None
    index = layer.inputs[1]
    if not structure.tensors[index].constant_bytes:
        makers = [op for op in structure.operators if index in op.outputs and op.inputs]
        if len(makers) != 1 or makers[0].name != "DEQUANTIZE":
            return None
        index = makers[0].inputs[0]
    try:
        kernel = stored_constant(model, structure, index)
        steps = _steps_behind(model, structure, layer)
    except ValueError:
        return None
    if kernel is None or steps is None or steps.shape != kernel.shape[:1]:
        return kernel
    return kernel * steps[:, None]


def _steps_behind(
    model: bytes, structure: Structure, layer: Operator
) -> NDArray[np.float32] | None:
    """What a dense layer's outputs are multiplied by, where a MUL alone reads them."""
    readers = [op for op in structure.operators if layer.outputs[0] in op.inputs]
    if layer.name != "FULLY_CONNECTED" or [op.name for op in readers] != ["MUL"]:
        return None
    return stored_constant(model, structure, readers[0].inputs[-1])
