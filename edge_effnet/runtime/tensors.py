"""Values into and out of a model's tensors: the one place that quantizes and dequantizes.

real = scale * (quantized - zero_point)  (TensorFlow Lite 8-bit quantization specification)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.errors import ModelError


@dataclass(frozen=True)
class TensorFormat:
    """How a tensor stores real numbers.

    Attributes:
        dtype: ``float32``, ``uint8``, ``int8`` or ``int16``.
        scale: step between two stored values; 0.0 for a tensor that is not quantized.
        zero_point: the stored value of the real number 0.
    """

    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0

    @property
    def quantized(self) -> bool:
        return self.scale > 0


def tensor_format(details: dict[str, Any]) -> TensorFormat:
    """Read the format from an interpreter's tensor details.

    Raises:
        ModelError: a dtype no image classifier's interface has, or per-channel quantization.
    """
    dtype = np.dtype(details["dtype"]).name
    if dtype not in {"float32", "uint8", "int8", "int16"}:
        raise ModelError(
            f"tensor {details['name']!r} has a type this toolkit does not feed",
            found=dtype,
            expected="float32, uint8, int8 or int16",
            fix="convert the model again with --io uint8",
        )
    scales = details["quantization_parameters"]["scales"]
    if len(scales) > 1:
        raise ModelError(
            f"tensor {details['name']!r} is quantized per channel",
            expected="one scale for an input or output",
            fix="convert the model again",
        )
    shape = tuple(int(side) for side in details["shape"])
    if not len(scales):
        return TensorFormat(shape, dtype)
    zero_point = int(details["quantization_parameters"]["zero_points"][0])
    return TensorFormat(shape, dtype, float(scales[0]), zero_point)


def quantize_in(real: NDArray[np.floating[Any]], form: TensorFormat) -> NDArray[Any]:
    """Real numbers to stored values: divide, round, shift, clip, cast.

    Halves are rounded to even, as the runtime's fast QUANTIZE kernels do (its reference kernel
    rounds them away from zero). A float tensor gets the values as they are; an integer one
    without quantization has steps of 1.
    """
    if form.dtype == "float32":
        return np.asarray(real, np.float32)
    steps = np.asarray(real, np.float64) / (form.scale or 1.0)
    rounded = np.rint(steps) + form.zero_point
    limits = np.iinfo(form.dtype)
    return np.asarray(np.clip(rounded, limits.min, limits.max), form.dtype)


def dequantize_out(stored: NDArray[Any], form: TensorFormat) -> Float32Array:
    """Stored values to real numbers, float32.

    The subtraction is done in 32 bits: int8 minus a zero point of -128 overflows in 8.
    """
    if not form.quantized:
        return np.asarray(stored, np.float32)
    shifted = stored.astype(np.int32) - form.zero_point
    return np.asarray(shifted * np.float64(form.scale), np.float32)
