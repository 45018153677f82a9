"""How pixels become the input, told by the quantization of the input tensor itself."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from edge_effnet.image.preprocessing import Preprocess, normalize
from edge_effnet.runtime.input_pixels.evidence import Evidence, Strength
from edge_effnet.runtime.input_pixels.ways import with_scaling
from edge_effnet.runtime.tensors import TensorFormat, quantize_in
from edge_effnet.tflite.reader import Structure

# Smallest and largest value that each scaling makes of pixels 0–255.
_RANGES = {
    "unit": (0.0, 1.0),
    "tf": (-1.0, 1.0),
    "raw": (0.0, 255.0),
    "torch": (-2.118, 2.640),
    "caffe": (-123.68, 151.061),
}
_COLOURED = frozenset({"torch", "caffe"})
"""Ranges that images standardized each by itself, or pixels around zero, have about as well."""
_TOLERANCE = 0.1  # of the range: calibration images without white leave some of its end out
_LEVELS = {"uint8": (0, 255), "int8": (-128, 127), "int16": (-32768, 32767)}


def input_format(structure: Structure) -> TensorFormat:
    """How the network stores its input: of a float input that is quantized at once, how that
    does it."""
    index = structure.inputs[0]
    readers = [op for op in structure.operators if index in op.inputs]
    if structure.tensors[index].dtype == "float32" and len(readers) == 1:
        (reader,) = readers
        if reader.name == "QUANTIZE" and reader.outputs:
            index = reader.outputs[0]
    tensor = structure.tensors[index]
    if len(tensor.scales) != 1:
        return TensorFormat(tensor.shape, tensor.dtype)
    point = tensor.zero_points[0] if tensor.zero_points else 0
    return TensorFormat(tensor.shape, tensor.dtype, tensor.scales[0], point)


def tensor_range(form: TensorFormat) -> tuple[float, float] | None:
    """The smallest and the largest real number that a quantized tensor holds; None for float, and
    where its scale is no scale."""
    if form.dtype not in _LEVELS:
        return None
    low, high = _LEVELS[form.dtype]
    scale = form.scale or 1.0
    if not (math.isfinite(scale) and scale > 0):  # a damaged file
        return None
    return scale * (low - form.zero_point), scale * (high - form.zero_point)


def by_quantization(structure: Structure, base: Preprocess) -> Evidence | None:
    """What the quantization of the input says; None where it is float.

    Of 8 bits with a range of no usual scaling, 256 pixel values are the 256 stored ones; and so
    they are of uint8, which Android's and MediaPipe's loaders hand pixels as they are.
    """
    form = input_format(structure)
    held = tensor_range(form)
    if held is None:
        return None
    low, high = held
    span, names = high - low, list(_RANGES)
    stored = replace(base, mean=(0.0 - 255 * low / span,), std=(255 / span,))
    if form.dtype == "int16":  # symmetric whatever the pixels are
        names, low = ["raw"], 0.0
    if base.channels == "grey":
        names = [name for name in names if name not in _COLOURED]
    if abs(low + 128) < 0.5 and abs(high - 127) < 0.5:  # pixels - 128, and within reach of caffe
        names = []
    for name in names:
        ends = _RANGES[name]
        if max(abs(low - ends[0]), abs(high - ends[1])) <= _TOLERANCE * (ends[1] - ends[0]):
            settings = with_scaling(base, name)
            as_is = form.dtype == "uint8" and not keeps_pixels(settings, form)
            reason = "the scale of its input tensor"
            strength: Strength = "inferred" if name in _COLOURED else "stated"
            return Evidence(stored if as_is else settings, reason, strength)
    if form.dtype == "int16":
        return None
    reason = f"the range of its input tensor, {low:.4g} to {high:.4g}"
    return Evidence(stored, reason, "inferred")


def keeps_pixels(settings: Preprocess, form: TensorFormat) -> bool:
    """Whether each pixel value of a uint8 input is stored as itself."""
    if settings.standardize or form.dtype != "uint8":
        return False
    levels = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], settings.depth, axis=2)
    return bool((quantize_in(normalize(levels, settings), form) == levels).all())


def range_warning(settings: Preprocess, form: TensorFormat, name: str) -> str | None:
    """A line where a quantized input cannot hold what is made of pixels, or hardly uses its
    values; None where it fits, for a float input, and where each image is standardized."""
    held = tensor_range(form)
    if held is None or settings.standardize:
        return None
    low, high = held
    clipped, ends = 0.0, []
    for channel in range(max(len(settings.mean), len(settings.std))):
        mean = settings.mean[channel % len(settings.mean)]
        std = settings.std[channel % len(settings.std)]
        ends += [(0 - mean) / std, (255 - mean) / std]
        first, last = sorted((low * std + mean, high * std + mean))  # in pixels
        outside = max(0.0, first - 0.5) + max(0.0, 255.5 - max(last, -0.5) - 1)
        clipped = max(clipped, min(1.0, outside / 255))
    made = f"-> {min(ends):.4g}…{max(ends):.4g}, and the input tensor holds {low:.4g}…{high:.4g}"
    if clipped > _MOST_CLIPPED:
        return f"{name}: pixels 0…255 {made}: {_share(clipped)} pixel values are clipped"
    used = (min(max(ends), high) - max(min(ends), low)) / (high - low)
    if form.dtype == "int16":  # symmetric whatever the pixels are
        used = max(map(abs, ends)) / max(-low, high)
    if used < _LEAST_USED:
        return (
            f"{name}: pixels 0…255 {made}: only {100 * used:.0f} % of the range is used, which is "
            "not what the network was quantized for"
        )
    return None


_MOST_CLIPPED = 0.06
_LEAST_USED = 0.6


def _share(clipped: float) -> str:
    return "nearly all" if clipped > 0.95 else f"{100 * clipped:.0f} % of all"
