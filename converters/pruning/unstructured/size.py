"""What zeros in a file are worth: to a download, and to the runtime."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np

from edge_effnet.tflite.editor import read_tree

NEEDED_ZEROS = 2 / 3  # of the 1x1 kernels' weights
_DEFLATE_LEVEL = 9


@dataclass(frozen=True)
class FileSparsity:
    """A model file looked at for zeros.

    Attributes:
        size_bytes: of the file; zeros are stored like any other number.
        compressed_bytes: after DEFLATE, as gzip, zip and an APK compress.
        zero_share: of the weights of its 1x1 convolutions.
        obstacles: why the runtime's sparse kernels cannot apply; empty where they can.
    """

    size_bytes: int
    compressed_bytes: int
    zero_share: float
    obstacles: tuple[str, ...]


def file_sparsity(model: bytes) -> FileSparsity:
    """Look at the bytes of a ``.tflite``.

    XNNPACK multiplies by sparse 1x1 kernels only in float, only where the file stores them in
    the schema's sparse encoding, with at least two thirds zeros over all, and only behind a 3x3
    stride-2 convolution of three channels with padding 1 on each side (Elsen et al. 2020,
    arXiv:1911.09723; "Sparse Inference" in the README of TensorFlow Lite's XNNPACK delegate).
    """
    schema, tree = read_tree(model)
    graph = tree.subgraphs[0]
    codes = [code.builtinCode for code in tree.operatorCodes]
    kernels, encoded, integer = [], True, False
    stem = None
    for operator in graph.operators:
        if codes[operator.opcodeIndex] != schema.BuiltinOperator.CONV_2D:
            continue
        tensor = graph.tensors[operator.inputs[1]]
        _, rows, columns, _ = tensor.shape
        if (rows, columns) != (1, 1):
            stem = stem or (operator, tensor, graph.tensors[operator.inputs[0]])
            continue
        integer = integer or tensor.type != schema.TensorType.FLOAT32
        kind = np.float32 if tensor.type == schema.TensorType.FLOAT32 else np.int8
        values = np.frombuffer(bytes(tree.buffers[tensor.buffer].data), kind)
        kernels.append((int((values == 0).sum()), values.size))
        encoded = encoded and tensor.sparsity is not None
    zeros, count = (sum(column) for column in zip(*kernels, strict=True)) if kernels else (0, 1)
    obstacles = []
    if integer:
        obstacles.append("the kernels are int8, and the sparse ones are float: only the download")
    if zeros < NEEDED_ZEROS * count:
        obstacles.append("fewer than two thirds of the weights of 1x1 kernels are zero")
    if not encoded:
        obstacles.append("the kernels are stored dense: no converter at hand writes sparse ones")
    if stem is None or not _eligible(*stem, schema):
        obstacles.append("the stem's padding is not symmetric (an even input and stride 2)")
    return FileSparsity(
        size_bytes=len(model),
        compressed_bytes=len(zlib.compress(model, _DEFLATE_LEVEL)),
        zero_share=zeros / count,
        obstacles=tuple(obstacles),
    )


def _eligible(operator: object, kernel: object, pixels: object, schema: object) -> bool:
    """3x3, stride 2, three channels in, and one pixel of padding before and behind."""
    options = operator.builtinOptions  # type: ignore[attr-defined]
    _, rows, columns, channels = kernel.shape  # type: ignore[attr-defined]
    side = pixels.shape[1]  # type: ignore[attr-defined]
    if (rows, columns, channels, options.strideH, options.strideW) != (3, 3, 3, 2, 2):
        return False
    same = options.padding == schema.Padding.SAME  # type: ignore[attr-defined]
    padding = (math.ceil(side / 2) - 1) * 2 + rows - side
    return bool(same and padding == 2)
