"""What an answer would gain by a tensor that is never rounded to 8 bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from converters.calibration.ranges import Ranges
from converters.quantization.answer.float_answer import find_float_answer
from converters.quantization.mixed_precision import kept_in_float
from converters.quantization.operators.in_float import without_integer_kernel
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.activations import Image, logits
from converters.tflite_graph.error_metrics import error_share
from edge_effnet.tflite.reader import Structure, Tensor


def stored_range(tensor: Tensor) -> tuple[float, float]:
    """The smallest and the largest real number that an int8 tensor holds."""
    scale, zero_point = tensor.scales[0], tensor.zero_points[0]
    return (-128 - zero_point) * scale, (127 - zero_point) * scale


def changes_left_float(
    model: bytes,
    structure: Structure,
    quantized: Structure,
    tensors: Sequence[str],
    reference: NDArray[np.float32],
    images: Sequence[Image],
    *,
    workers: int,
) -> list[float | None]:
    """Change of the answer error, in percent, with each of these tensors never rounded.

    Measured against the integer file made again with the same ranges, so that corrected
    biases or trained weights do not count for the one and not for the other. Nothing where it
    cannot be made again: its graph is another, or layers in float have no ranges.
    """
    stored = {tensor.name: tensor for tensor in quantized.tensors if tensor.scales}
    ranges: Ranges = {}
    for tensor in structure.tensors:
        twin = stored.get(tensor.name + "_quantized") or stored.get(tensor.name)
        if tensor.dtype == "float32" and not tensor.constant_bytes and twin is not None:
            ranges[tensor.name] = stored_range(twin)
    source = structure.tensors[structure.inputs[0]].name
    if source + "_quantized" not in stored:  # normalized pixels go in: see ``pixel_codes``
        ranges[source] = float(np.min(images)), float(np.max(images))

    float_only = frozenset(without_integer_kernel(model, structure))
    answer = find_float_answer(model, structure) if _answers_in_float(quantized) else None
    if answer:
        float_only |= answer.tensors

    def error(names: Sequence[str]) -> float:
        kept = float_only | kept_in_float(structure, names)
        made = quantize(
            model, RECIPES["int8"], ranges, "int8", left_float=kept, float_answer=answer
        )
        return error_share(reference, logits(made, structure, images, workers=workers))

    activations = {structure.tensors[op.outputs[0]].name for op in structure.operators}
    if (
        not tensors or activations - ranges.keys() - float_only
    ):  # the file was made of another graph
        return []
    before = max(error([]), 1e-20)
    return [100 * (error([name]) / before - 1) for name in tensors]


def _answers_in_float(quantized: Structure) -> bool:
    output = quantized.tensors[quantized.outputs[0]]
    maker = next(op for op in quantized.operators if quantized.outputs[0] in op.outputs)
    return output.dtype == "float32" and maker.name != "DEQUANTIZE"  # which a float interface adds
