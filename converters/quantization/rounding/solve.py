"""One layer's kernel on its grid of steps, in closed form.

Rounding each weight to the nearest step ignores that the errors of a kernel's weights add up in
its sums. Here a kernel is rounded weight by weight, the error of each handed on to those not yet
rounded, by how their inputs go together in the integer model.

Source: the layer-wise problem is AdaRound's (Nagel et al. 2020, arXiv:2004.10568, section 3.2);
it is solved as in GPTQ (Frantar et al. 2022, arXiv:2210.17323), which AI Edge Quantizer has for
dense layers only. New here: a sum counts by the slope of the function behind it, so that the
dead side of a swish decides nothing.

A regression before it, for the kernel that makes float's sums out of the integer model's inputs,
was tried and left out: on EfficientNetV2-B0 each layer came nearer to float and the answers moved
away (signal to noise 17.0 dB to 16.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Values = NDArray[np.float32]

KERNEL_MAX = 127
# Of the mean power of an input, added to each one's: as GPTQ has it. Inputs over rows come on
# top: what few rows suggest is mostly chance.
_DAMPING = 0.01
# Narrower grids that are tried for each output: a kernel's outliers may be worth cutting.
_NARROWER = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7)
_BLOCK = 64


@dataclass(frozen=True)
class Rows:
    """What some outputs of a layer were given and should have made of it.

    Attributes:
        inputs: groups x rows x inputs, or 1 x rows x inputs where all groups read the same.
        sums: float's, groups x rows x outputs.
        weights: how much each row counts, groups x rows x 1.
    """

    inputs: Values
    sums: Values
    weights: Values

    def some(self, chosen: NDArray[np.bool_]) -> Rows:
        return Rows(self.inputs[:, chosen], self.sums[:, chosen], self.weights[:, chosen])


@dataclass(frozen=True)
class Moments:
    """How a layer's inputs go together, each row by its weight.

    Attributes:
        inputs: covariance, groups x inputs x inputs.
        input_mean: groups x 1 x inputs.
        rows: how many rows of equal weight these would be worth, groups.
    """

    inputs: Floats
    input_mean: Floats
    rows: Floats


def moments(seen: Rows) -> Moments:
    """Take the moments of some rows."""
    total = np.maximum(seen.weights.sum(axis=1, keepdims=True), 1e-9)
    share = seen.weights / total
    mean = (seen.inputs * share).sum(axis=1, keepdims=True)
    centred = seen.inputs - mean
    return Moments(
        inputs=((centred * share).transpose(0, 2, 1) @ centred).astype(np.float64),
        input_mean=mean.astype(np.float64),
        rows=1 / np.maximum((share**2).sum(axis=(1, 2)), 1e-9).astype(np.float64),
    )


def solve_kernel(kernel: Floats, steps: Floats, seen: Moments) -> tuple[Floats, Floats]:
    """The kernel on a grid whose sums are nearest to those of the kernel off it.

    Args:
        kernel: float's, groups x outputs x inputs.
        steps: of the grid it is stored on, groups x outputs x 1.

    Returns:
        The rounded kernel, and the steps of its grid.
    """
    inputs = kernel.shape[2]
    power = np.trace(seen.inputs, axis1=1, axis2=2) / inputs
    damping = (_DAMPING + inputs / np.maximum(seen.rows, 1.0)) * power + 1e-12
    damped = seen.inputs + damping[:, None, None] * np.eye(inputs)
    steps = narrower_steps(kernel, steps, np.diagonal(damped, axis1=1, axis2=2))
    return round_in_turn(kernel, steps, damped), steps


def narrower_steps(kernel: Floats, steps: Floats, power: Floats) -> Floats:
    """The steps that cost each output least, rounding and cutting together.

    Args:
        power: damped variance of each input, groups x inputs; its mean is the bias's business.
    """
    errors = []
    for factor in _NARROWER:
        step = steps * factor
        lost = kernel - np.clip(np.rint(kernel / step), -KERNEL_MAX, KERNEL_MAX) * step
        errors.append((lost**2 * power[:, None, :]).sum(axis=2, keepdims=True))
    return np.asarray(steps * np.array(_NARROWER)[np.argmin(np.stack(errors), axis=0)])


def round_in_turn(kernel: Floats, steps: Floats, inputs: Floats) -> Floats:
    """Round input by input, the strongest first, handing each error on to the later ones.

    The share that the later inputs take over follows from the inverse of ``inputs``, whose
    Cholesky factor has it for every stage at once (GPTQ, section 3.3); it is handed on at once
    within a block of inputs, and to all others behind each block.

    Args:
        kernel: groups x outputs x inputs.
        steps: groups x outputs x 1.
        inputs: covariance of the inputs, positive definite, groups x inputs x inputs.
    """
    order = np.argsort(-np.diagonal(inputs, axis1=1, axis2=2), axis=1)
    groups = np.arange(len(kernel))[:, None]
    left = kernel.transpose(0, 2, 1)[groups, order]  # groups x inputs x outputs, a copy
    ordered = inputs[groups[:, :, None], order[:, :, None], order[:, None, :]]
    upper = np.linalg.cholesky(np.linalg.inv(ordered)).transpose(0, 2, 1)
    unit = steps.transpose(0, 2, 1)[:, 0]
    errors = np.empty_like(left)
    for first in range(0, left.shape[1], _BLOCK):
        end = min(first + _BLOCK, left.shape[1])
        for place in range(first, end):
            now = left[:, place].copy()
            whole = np.clip(np.rint(now / unit), -KERNEL_MAX, KERNEL_MAX) * unit
            error = (now - whole) / upper[:, place, place, None]
            left[:, place + 1 : end] -= upper[:, place, place + 1 : end, None] * error[:, None]
            left[:, place], errors[:, place] = whole, error
        left[:, end:] -= upper[:, first:end, end:].transpose(0, 2, 1) @ errors[:, first:end]
    result = np.empty_like(left)
    result[groups, order] = left
    return result.transpose(0, 2, 1)


def weighted_error(seen: Rows, kernel: Floats, bias: Floats) -> Floats:
    """Mean squared distance from the wanted sums, groups x outputs.

    Args:
        kernel: groups x outputs x inputs.
        bias: groups x outputs.
    """
    made = seen.inputs @ kernel.transpose(0, 2, 1).astype(np.float32)
    made += bias[:, None].astype(np.float32)
    return np.asarray(((seen.sums - made) ** 2 * seen.weights).mean(axis=1), np.float64)
