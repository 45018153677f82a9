"""Weights and an image that follow from names and shapes alone, the same wherever NumPy is."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SIDE = 80  # halves to 40, 20, 10, 5, 3: even sides are padded in another way than odd ones


def drawn(name: str, shape: tuple[int, ...]) -> Floats:
    """The values of one of PyTorch's tensors; activations keep about their size."""
    # RandomState, because its stream never changes (NEP 19).
    dice = np.random.RandomState(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        return dice.uniform(0.5, 1.5, shape).astype(np.float32)
    if len(shape) == 1:
        centre = 1.0 if name.endswith("weight") else 0.0
        return (centre + 0.2 * dice.standard_normal(shape)).astype(np.float32)
    fan_in = float(np.prod(shape[1:]))
    return (dice.standard_normal(shape) * fan_in**-0.5).astype(np.float32)


def drawn_pixels() -> NDArray[np.uint8]:
    """A batch of one, SIDE x SIDE x 3."""
    dice = np.random.RandomState(7)
    return dice.randint(0, 256, (1, SIDE, SIDE, 3)).astype(np.uint8)
