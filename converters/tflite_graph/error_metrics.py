"""How far an answer moved, and what eight bits leave of a tensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array


def error_share(reference: Float32Array, answer: Float32Array) -> float:
    """Energy of the difference of two answers over that of both, 0–1, mean over images.

    Each image counts alike, however large its logits, and one whose answer is ruined counts
    as one ruined image, however badly: with sums over all images a single outlier that
    with huge answers decides every range. A constant added to all logits of an image is
    no difference: softmax does not see it.

    Args:
        reference, answer: logits, images x classes.
    """
    return float(_shares(reference, answer).mean())


def typical_share(reference: Float32Array, answer: Float32Array) -> float:
    """Squared mean of the per-image root error, less sensitive to outliers than the mean.

    Images whose logits are far larger than the others' do not count: see ``outlying``.

    Args:
        reference, answer: logits, images x classes.
    """
    roots = np.sqrt(_shares(reference, answer))
    return float(roots[~outlying(reference)].mean() ** 2)


# Times the median power of the logits. In ordinary networks no image comes to 4, where there
# are outlying ones they begin at 14.
_OUTLYING = 8


def outlying(logits: Float32Array) -> NDArray[np.bool_]:
    """The images whose logits are far larger than the others'.

    Some networks have one in a hundred, ten to fifty times as large. Eight bits cannot hold it
    beside the others, and its answer is so sure that no error of theirs would change it.

    Args:
        logits: images x classes.
    """
    power = logits.astype(np.float64).var(axis=1)
    typical = np.median(power)
    return np.asarray((power > _OUTLYING * typical) & (typical > 0))


def _shares(reference: Float32Array, answer: Float32Array) -> NDArray[np.float64]:
    signal = reference - reference.mean(axis=1, keepdims=True)
    error = signal - (answer - answer.mean(axis=1, keepdims=True))
    power, lost = ((part.astype(np.float64) ** 2).sum(axis=1) for part in (signal, error))
    return np.asarray(lost / np.maximum(lost + power, 1e-20))


def mirrored(values: Float32Array) -> Float32Array:
    """Sigmoids' logits beside their negatives: (images, outputs) -> (images, 2 x outputs).

    A sigmoid is a softmax over its logit and the opposite one. So written, a constant added to
    all outputs is no longer invisible to the measures of this module.
    """
    return np.asarray(np.concatenate([values, -values], axis=1), np.float32)


def stored_in_int8(values: Float32Array, low: float, high: float) -> Float32Array:
    """What is left of values after 8 bits, asymmetric, with a range that holds zero."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = np.float32(max(high - low, 1e-9) / 255)
    zero = np.float32(np.rint(-low / step))
    stored = np.multiply(values, 1 / step)  # in place from here: half the time on large tensors
    np.rint(stored, out=stored)
    np.clip(stored, -zero, 255 - zero, out=stored)
    return np.multiply(stored, step, out=stored)
