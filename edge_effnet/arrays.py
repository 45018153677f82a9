"""One name for the arrays of each element type, of any shape; and what NumPy does otherwise on
32-bit systems."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]


def bincount(
    indices: NDArray[Any], weights: NDArray[Any] | None = None, minlength: int = 0
) -> NDArray[Any]:
    """``np.bincount`` of int64 indices, which NumPy refuses on a 32-bit system: they are longer
    than its own indices there."""
    return np.bincount(indices.astype(np.intp), weights, minlength)
