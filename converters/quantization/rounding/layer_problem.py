"""The layers that have something to learn from, and what float makes of their inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.quantization.rounding.patches import kernel_size
from converters.quantization.rounding.solve import Floats, Values
from converters.tflite_graph.graph import Graph, Node
from converters.tflite_graph.layers import Layer, quantized_layers
from edge_effnet.tflite.reader import Structure

# Rows wanted for each input of a kernel, and in all; a layer that has fewer than _FEWEST for each
# input is left as it is.
_ROWS_PER_INPUT, _FEWEST_ROWS, _FEWEST = 12, 1024, 2
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Lesson:
    """A layer that has something to learn from.

    Attributes:
        float_source: what it reads in the float model.
        kernel, bias: float's, outputs x inputs and outputs.
        size: rows and columns of the kernel.
        every: of the rows that a picture gives, one of so many is looked at.
    """

    layer: Layer
    node: Node
    float_source: int
    kernel: Floats
    bias: Values
    size: tuple[int, int]
    every: int

    @property
    def depthwise(self) -> bool:
        return self.node.kind == "DEPTHWISE_CONV_2D"

    def chosen(self, place: int) -> slice:
        """The rows to look at in the picture of that place.

        They start elsewhere in each picture, spread over the whole pace (by the golden section),
        or all would lie on the same few lines.
        """
        return slice(int(place * _GOLDEN % 1 * self.every), None, self.every)

    def sums(self, rows: Values) -> Values:
        """What float makes of rows x taps x channels, before any ReLU: rows x outputs."""
        kernel = self.kernel.astype(np.float32)
        if self.depthwise:
            made = np.einsum("rtc,ct->rc", rows, kernel)
        else:
            made = rows.reshape(len(rows), kernel.shape[1]) @ kernel.T
        return np.asarray(made + self.bias, np.float32)

    def in_rows(self, stored: NDArray[Any]) -> Floats:
        """A kernel in the layout of the file as outputs x inputs."""
        if self.depthwise:
            stored = stored.reshape(-1, len(self.kernel)).T
        return stored.reshape(self.kernel.shape).astype(np.float64)

    def as_stored(self, kernel: Floats) -> NDArray[np.int8]:
        return np.rint(kernel.T if self.depthwise else kernel).astype(np.int8).ravel()


def find_lessons(
    small: Structure, model: Structure, graph: Graph, pictures: int
) -> Iterator[Lesson]:
    """Those of an integer model, in the order of computation.

    Args:
        graph: the float model's.
        pictures: how many there are to learn from.
    """
    nodes = {node.output: node for node in graph.nodes}
    makers = {model.tensors[op.outputs[0]].name: op for op in model.operators}
    for layer in quantized_layers(small, model):
        name = small.tensors[layer.output].name
        if name not in graph.layers or not small.tensors[layer.source].scales:
            continue
        node, weights = nodes[name], graph.layers[name]
        kernel = np.moveaxis(weights.kernel, -1, 0).reshape(len(weights.bias), -1)
        rows = int(np.prod(node.shape[:-1]))
        if rows * pictures < _FEWEST * kernel.shape[1]:
            continue  # behind a pooling, or on a very small map
        if len(small.tensors[layer.kernel].scales) != len(kernel):
            continue  # one step for all outputs: they cannot be solved for one by one
        size = kernel_size(small.tensors[layer.kernel].shape)
        source = makers[name].inputs[0]
        channels = model.tensors[source].shape[-1]
        if node.kind == "DEPTHWISE_CONV_2D":
            usual = len(kernel) == channels
        else:
            usual = kernel.shape[1] == size[0] * size[1] * channels
        if not usual:
            continue  # several outputs for each input of a depthwise layer, or groups
        wanted = max(_ROWS_PER_INPUT * kernel.shape[1], _FEWEST_ROWS)
        every = max(1, min(rows, rows * pictures // wanted))
        yield Lesson(layer, node, source, kernel.astype(np.float64), weights.bias, size, every)
