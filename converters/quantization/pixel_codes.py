"""Leaves out the normalization of pixels where integers make it an identity.

With one mean and one deviation for all channels, the operator that normalizes pixels maps each of
the 256 values to the same code of another scale: it computes nothing and takes 5 % of a small
network's time. Without it the input itself has that scale. It takes the same bytes as before, the
pixels as they are, and says of them what the network makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.tflite_graph.unused import drop_unused
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.runtime.input_pixels.input_tensor import keeps_pixels
from edge_effnet.runtime.tensors import TensorFormat
from edge_effnet.tflite.editor import pack_tree, read_tree
from edge_effnet.tflite.reader import Operator, Structure, parse_structure

# In steps, of what is to be rounded: every runtime rounds so to the same code.
_EXACT = 0.25
_UNSIGNED = 128  # between the codes of int8 and of uint8


@dataclass(frozen=True)
class PixelInput:
    """A model as it is written, and how pixels become its input.

    Attributes:
        preprocess: with the mean and deviation that the scale of the input stands for.
    """

    model: bytes
    preprocess: Preprocess


def without_identity(model: bytes, preprocess: Preprocess) -> PixelInput:
    """Leave the normalization out where it changes no code.

    Args:
        model: any; one with an 8-bit input may lose its first operator.
        preprocess: how pixels become its input.

    Returns:
        Both unchanged where the normalization does something.
    """
    given = PixelInput(model, preprocess)
    structure = parse_structure(model, "the quantized model")
    source = structure.tensors[structure.inputs[0]]
    operator = _first(structure)
    if not preprocess.passes_pixels or source.dtype not in {"uint8", "int8"} or operator is None:
        return given
    schema, tree = read_tree(model)
    graph = tree.subgraphs[0]
    options = graph.operators[operator.index].builtinOptions
    plain = options.fusedActivationFunction == schema.ActivationFunctionType.NONE
    if (options.strideH, options.strideW) != (1, 1) or not plain:
        return given
    if not _changes_nothing(tree, structure, operator):
        return given
    read, made = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    read.quantization = made.quantization
    if source.dtype == "uint8":
        read.name = made.name  # which it is now; the interface keeps its own
    for other in graph.operators:
        other.inputs = np.array(
            [operator.inputs[0] if i == operator.outputs[0] else i for i in other.inputs], np.int32
        )
    del graph.operators[operator.index]
    scale, zero_point = float(made.quantization.scale[0]), int(made.quantization.zeroPoint[0])
    outer = graph.tensors[structure.inputs[0]]
    if source.dtype == "uint8":
        outer.quantization = schema.QuantizationParametersT()
        outer.quantization.scale = np.array([scale], np.float32)
        outer.quantization.zeroPoint = np.array([zero_point + _UNSIGNED], np.int64)
    settings = replace(
        preprocess, mean=(float(zero_point + _UNSIGNED),), std=(float(f"{1 / scale:.6g}"),)
    )
    form = TensorFormat(source.shape, "uint8", scale, zero_point + _UNSIGNED)
    if not keeps_pixels(settings, form):
        return given
    drop_unused(tree)
    return PixelInput(pack_tree(tree), settings)


def _first(structure: Structure) -> Operator | None:
    """The pointwise convolution of int8 pixels, right behind the input or its QUANTIZE."""
    at = structure.inputs[0]
    for operator in structure.operators[:2]:
        if at not in operator.inputs or sum(at in op.inputs for op in structure.operators) != 1:
            return None
        if operator.name == "DEPTHWISE_CONV_2D":
            return operator
        if operator.name != "QUANTIZE":
            return None
        (at,) = operator.outputs
    return None


def _changes_nothing(tree: Any, structure: Structure, operator: Operator) -> bool:
    """Whether it maps each int8 code to itself, in every channel."""
    read, kernel, bias = (structure.tensors[index] for index in operator.inputs)
    made = structure.tensors[operator.outputs[0]]
    if kernel.shape[:3] != (1, 1, 1) or kernel.shape[3] != read.shape[-1]:
        return False
    if (read.dtype, made.dtype, kernel.dtype) != ("int8", "int8", "int8"):
        return False
    weights = _stored(tree, operator.inputs[1], np.int8) * np.array(kernel.scales)
    offsets = _stored(tree, operator.inputs[2], np.int32) * np.array(bias.scales)
    codes = np.arange(-128, 128)[:, None]
    real = (codes - read.zero_points[0]) * read.scales[0] * weights + offsets
    moved = real / made.scales[0] + made.zero_points[0] - codes
    return bool(np.abs(moved).max() < _EXACT)


def _stored(tree: Any, tensor: int, dtype: type[np.integer[Any]]) -> NDArray[np.float64]:
    buffer = tree.buffers[tree.subgraphs[0].tensors[tensor].buffer]
    values = np.frombuffer(np.asarray(buffer.data, np.uint8).tobytes(), dtype)
    return values.astype(np.float64)
