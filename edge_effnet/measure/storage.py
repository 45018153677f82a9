"""How a ``.tflite`` keeps its weights and activations."""

from __future__ import annotations

from typing import Literal

from edge_effnet.tflite.reader import Operator, Structure

Storage = Literal[
    "float32", "float16", "weights8", "dynamic", "int16x8", "int8", "int8-answer", "int8-part"
]
STORED: dict[Storage, str] = {
    "float32": "float32",
    "float16": "float16 weights",
    "weights8": "int8 weights computed in float",
    "dynamic": "dynamic range (int8 weights, float activations)",
    "int16x8": "int16 activations and int8 weights",
    "int8": "int8",
    "int8-answer": "int8 up to the last layer, which answers in float",
    "int8-part": "int8 in part ({0} of {1} layers)",
}
_INTEGERS = {"int8", "uint8"}
# Operators with weights, and which of their inputs are the activations.
_HEAVY = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 0, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 2}


def storage_of(structure: Structure) -> Storage:
    """How a file keeps its numbers, told from the tensors of its heavy operators."""
    tensors, heavy = structure.tensors, _heavy(structure)
    if any(_activation(op, structure) == "int16" for op in heavy):
        return "int16x8"
    integer, layers = integer_layers(structure)
    if integer == layers - 1 and _answers_in_float(heavy[-1], structure):
        return "int8-answer" if integer else "dynamic"
    if integer:
        return "int8" if integer == layers else "int8-part"
    if any(tensors[op.inputs[1]].dtype in _INTEGERS for op in heavy):
        return "dynamic"
    constants = {tensor.dtype for tensor in tensors if tensor.constant_bytes > 64}
    if constants & _INTEGERS:
        return "weights8"
    return "float16" if "float16" in constants else "float32"


def stored_text(structure: Structure) -> str:
    """The same in words."""
    return STORED[storage_of(structure)].format(*integer_layers(structure))


def integer_layers(structure: Structure) -> tuple[int, int]:
    """How many of the layers with weights are computed in 8-bit integers, and how many layers
    there are."""
    heavy = _heavy(structure)
    return sum(_activation(op, structure) in _INTEGERS for op in heavy), len(heavy)


def _heavy(structure: Structure) -> list[Operator]:
    return [
        op
        for op in structure.operators
        if len(op.inputs) > max(1, _HEAVY.get(op.name, len(op.inputs)))
    ]


def _answers_in_float(last: Operator, structure: Structure) -> bool:
    """Whether it is a dense layer of float values and int8 weights: see ``convert --int8``."""
    weights = structure.tensors[last.inputs[1]].dtype
    real = _activation(last, structure) == "float32"
    return last.name == "FULLY_CONNECTED" and real and weights in _INTEGERS


def _activation(op: Operator, structure: Structure) -> str:
    return structure.tensors[op.inputs[_HEAVY[op.name]]].dtype
