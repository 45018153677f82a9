"""A small network as other people's converters leave it: a convolution, Flatten, a dense layer.

Its ways of keeping weights, batch and shapes are arguments; all say the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tests.converters.network_builder import NetworkBuilder

SIDE, CHANNELS, FEATURES, CLASSES = 6, 3, 4, 5
Stored = Literal["float32", "float16", "int8", "per tensor", "weights only"]


class TheirBuilder(NetworkBuilder):
    """Keeps weights in one of the ways of converters."""

    def weights(self, name: str, values: NDArray[np.float32], stored: Stored) -> int:
        if stored == "float32":
            return self.tensor(name, values.shape, values)
        if stored == "float16":
            half = self.tensor(f"{name}/half", values.shape, values.astype(np.float16))
            return self._expanded(name, half, values.shape)
        axes = tuple(range(1, values.ndim))
        largest = np.abs(values).max() if stored == "per tensor" else np.abs(values).max(axes)
        scales = np.atleast_1d(np.asarray(largest / 127, np.float32))
        along = scales.reshape(-1, *[1] * (values.ndim - 1))
        integers = np.rint(values / along).astype(np.int8)
        if stored != "weights only":
            return self.tensor(name, values.shape, integers, scales=scales)
        kept = self.tensor(f"{name}/int8", values.shape, integers, scales=scales)
        return self._expanded(name, kept, values.shape)

    def _expanded(self, name: str, source: int, shape: tuple[int, ...]) -> int:
        real = self.tensor(name, shape)
        self.operator("DEQUANTIZE", [source], real)
        return real


def network(
    stored: Stored = "float32",
    *,
    batch: int = 1,
    computed_shape: bool = False,
    open_size: bool = False,
    old_codes: bool = False,
    channels: int = CHANNELS,
) -> bytes:
    """The network of ``kernels``, as some converter leaves it.

    Args:
        computed_shape: Flatten asks for the batch at run time, else it is a constant.
        open_size: height and width may be anything; then pooling stands for Flatten.
        old_codes: operator codes in the field of 2019 alone.
    """
    builder = TheirBuilder()
    side = 1 if open_size else SIDE
    kernel, dense = kernels(channels)
    source = builder.tensor("image", (batch, side, side, channels))
    if open_size:
        builder.graph.tensors[source].shapeSignature = np.array([-1, -1, -1, channels], np.int32)
    convolved = builder.tensor("features", (batch, side, side, FEATURES))
    bias = builder.tensor("bias", (FEATURES,), np.zeros(FEATURES, np.float32))
    inputs = [source, builder.weights("kernel", kernel, stored), bias]
    builder.operator("CONV_2D", inputs, convolved, options="Conv2DOptions", strideW=1, strideH=1,
                     fusedActivationFunction=1)  # fmt: skip
    flat = builder.tensor("flat", (batch, FEATURES if open_size else SIDE * SIDE * FEATURES))
    if open_size:
        axes = builder.tensor("axes", (2,), np.array([1, 2], np.int32))
        builder.operator("MEAN", [convolved, axes], flat, options="ReducerOptions")
        dense = np.ascontiguousarray(dense[:, :FEATURES])
    else:
        _flatten(builder, convolved, flat, batch, computed=computed_shape)
    logits = builder.tensor("logits", (batch, CLASSES))
    full = [flat, builder.weights("dense", dense, stored), -1]
    builder.operator("FULLY_CONNECTED", full, logits, options="FullyConnectedOptions",
                     asymmetricQuantizeInputs=stored == "int8")  # fmt: skip
    scores = builder.tensor("scores", (batch, CLASSES))
    builder.operator("SOFTMAX", [logits], scores, options="SoftmaxOptions", beta=1.0)
    if old_codes:
        for code in builder.tree.operatorCodes:
            code.builtinCode = 0
    return builder.pack(source, [scores])


def _flatten(builder: TheirBuilder, source: int, flat: int, batch: int, *, computed: bool) -> None:
    if not computed:
        to = builder.tensor("shape", (2,), np.array([batch, SIDE * SIDE * FEATURES], np.int32))
    else:
        whole = builder.tensor("whole", (4,), dtype="int32")
        builder.operator("SHAPE", [source], whole, options="ShapeOptions",
                         outType=schema.TensorType.INT32)  # fmt: skip
        ends = [builder.tensor(f"end{i}", (1,), np.array([i], np.int32)) for i in (0, 1)]
        first = builder.tensor("first", (), dtype="int32")
        builder.operator("STRIDED_SLICE", [whole, ends[0], ends[1], ends[1]], first,
                         options="StridedSliceOptions", shrinkAxisMask=1)  # fmt: skip
        rest = builder.tensor("rest", (), np.array(SIDE * SIDE * FEATURES, np.int32))
        to = builder.tensor("shape", (2,), dtype="int32")
        builder.operator("PACK", [first, rest], to, options="PackOptions", valuesCount=2)
    builder.operator("RESHAPE", [source, to], flat, options="ReshapeOptions")


def kernels(channels: int = CHANNELS) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(3)
    kernel = random.normal(0, 0.5, (FEATURES, 3, 3, channels))
    dense = random.normal(0, 0.2, (CLASSES, SIDE * SIDE * FEATURES))
    return kernel.astype(np.float32), dense.astype(np.float32)


def image(channels: int = CHANNELS) -> NDArray[np.float32]:
    return np.random.default_rng(4).random((1, SIDE, SIDE, channels)).astype(np.float32)


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Write a model: ``file(network(...))``."""

    def write(model: bytes, name: str = "theirs.tflite") -> Path:
        path = tmp_path / name
        path.write_bytes(model)
        return path

    return write
