"""How a ``.tflite`` keeps its weights and activations."""

from __future__ import annotations

from typing import Literal

from edge_effnet.tflite.reader import Structure

Storage = Literal["float32", "float16", "weights8", "dynamic", "int16x8", "int8"]
STORED: dict[Storage, str] = {
    "float32": "float32",
    "float16": "float16 weights",
    "weights8": "int8 weights computed in float",
    "dynamic": "dynamic range (int8 weights, float activations)",
    "int16x8": "int16 activations and int8 weights",
    "int8": "int8",
}


def storage_of(structure: Structure) -> Storage:
    """How a file keeps its numbers, told from the tensors of its heavy operators."""
    heavy = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}
    tensors = structure.tensors
    kinds: set[tuple[str, str]] = set()
    for op in structure.operators:
        if op.name in heavy and len(op.inputs) > 1:
            kinds.add((tensors[op.inputs[0]].dtype, tensors[op.inputs[1]].dtype))
    constants = {tensor.dtype for tensor in tensors if tensor.constant_bytes > 64}
    if any(activation == "int16" for activation, _ in kinds):
        return "int16x8"
    if any(activation in {"int8", "uint8"} for activation, _ in kinds):
        return "int8"
    if any(weight in {"int8", "uint8"} for _, weight in kinds):
        return "dynamic"
    if constants & {"int8", "uint8"}:
        return "weights8"
    return "float16" if "float16" in constants else "float32"
