"""What a kernel is multiplied with: the rows of numbers that a layer's input becomes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.tflite_graph.graph import Node


def kernel_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a kernel as it is stored; a dense one has neither."""
    return (shape[1], shape[2]) if len(shape) == 4 else (1, 1)


def rows_of(values: NDArray[Any], node: Node, size: tuple[int, int], chosen: slice) -> NDArray[Any]:
    """Some of the rows of one picture, in the order of the layer's output.

    Args:
        values: the layer's input, 1 x height x width x channels (of a dense layer 1 x channels),
            shifted so that padding is zero.
        size: rows and columns of the kernel.
        chosen: of the rows.

    Returns:
        rows x taps x channels.
    """
    if node.kind == "FULLY_CONNECTED":
        return values.reshape(-1, 1, values.shape[-1]).copy()
    picture = values[0]
    reach = [(k - 1) * d + 1 for k, d in zip(size, node.dilation, strict=True)]
    pads = []
    for length, extent, stride in zip(picture.shape, reach, node.strides, strict=False):
        outputs = -(-length // stride)
        missing = max((outputs - 1) * stride + extent - length, 0)
        pads.append((missing // 2, missing - missing // 2) if node.padding == "same" else (0, 0))
    padded = np.pad(picture, [*pads, (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(0, 1))
    (down, right), (dy, dx) = node.strides, node.dilation
    laid = windows[::down, ::right, :, ::dy, ::dx]
    channels = laid.shape[2]
    places = np.unravel_index(np.arange(laid.shape[0] * laid.shape[1])[chosen], laid.shape[:2])
    return laid[places].reshape(-1, channels, size[0] * size[1]).transpose(0, 2, 1)
