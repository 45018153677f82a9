"""Fake quantization: real numbers rounded to what int8 can hold, with a gradient.

The forward pass is the quantizer's arithmetic; the backward pass takes rounding for the
identity (straight-through estimator). Ranges learn as in "Learned Step Size Quantization"
(Esser et al. 2020, arXiv:1902.08153), with both ends of the range in place of a step size:
what lies outside pulls the end it was clipped at, what lies inside pulls by its rounding error.
"""

from __future__ import annotations

from typing import Any

from edge_effnet.network.backend import keras_module

keras: Any = keras_module()
ops: Any = keras.ops

QMIN, QMAX = -128, 127
STEPS = QMAX - QMIN
KERNEL_MAX = 127  # kernels are symmetric: -127 to 127


def quantize_activation(x: Any, low: Any, high: Any) -> Any:
    """Round to the 256 values between two ends, as the file's asymmetric int8 does.

    Args:
        x: real values.
        low, high: scalars, at most and at least 0, apart from each other. The zero point is
            rounded, so that 0 is exact and both ends move by up to half a step, as in the
            file.
    """
    step = (high - low) / STEPS
    zero = ops.round(QMIN - low / step)
    bottom = low + ops.stop_gradient((QMIN - zero) * step - low)
    top = high + ops.stop_gradient((QMAX - zero) * step - high)
    inside = ops.minimum(ops.maximum(x, bottom), top)
    return inside + step * ops.stop_gradient(ops.round(inside / step) - inside / step)


def quantize_fixed(x: Any, low: float, high: float) -> Any:
    """The same between ends that the runtime prescribes; only ``x`` has a gradient.

    Nothing is clipped that a sigmoid can answer but by the last half step, so the gradient
    passes everywhere.
    """
    step = (high - low) / STEPS
    zero = round(QMIN - low / step)
    y = ops.clip(ops.round(x / step), QMIN - zero, QMAX - zero) * step
    return x + ops.stop_gradient(y - x)


def whole_steps(x: Any, step: Any, largest: int | None = None) -> Any:
    """How many steps a value is, rounded, as kernels (at most 127) and biases are stored.

    The gradient passes as if nothing was rounded.

    Args:
        step: of each output channel, the last axis, or of all.
    """
    real = x / step
    steps = ops.round(real)
    if largest is not None:
        steps = ops.clip(steps, -largest, largest)
    return real + ops.stop_gradient(steps - real)
