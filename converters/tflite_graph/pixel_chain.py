"""What stands between a network's input and its first convolution, read as one affine function.

Rescaling, normalization and padding are affine in the pixels, and so are the convolution behind
them and a batch normalization that was left unfolded. All of it is one convolution of the
pixels plus what it answers to pixels of 0, which is another at borders that are padded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.tflite.reader import Operator, Structure

Float64Array = NDArray[np.float64]

_IMAGE_AXES = ("batch", "height", "width", "channels")
_SAME = 0  # in the schema's Padding
_MOST_VALUES = 2**26  # of an image; a damaged file may claim any size


@dataclass(frozen=True)
class PixelChain:
    """The front of a network; operators by their indices.

    Attributes:
        before: what is computed of each pixel, in front of the convolution.
        paddings: PAD operators among and behind them.
        stem: the convolution.
        behind: what is computed of each of its channels, up to the first activation.
        gain, offset: what the convolution reads is ``gain * pixel + offset``, one value each for
            every channel of the input.
        kernel: of all together, in the layout of the file's own.
        answer: of all together to pixels of 0, height x width x channels.
        activation: the schema's code of the function fused into the last operator.
    """

    before: tuple[int, ...]
    paddings: tuple[int, ...]
    stem: int
    behind: tuple[int, ...]
    gain: Float64Array
    offset: Float64Array
    kernel: Float64Array
    answer: Float64Array
    activation: int

    @property
    def last(self) -> int:
        """The operator that makes what the rest of the network reads."""
        return self.behind[-1] if self.behind else self.stem


def read_pixel_chain(structure: Structure, tree: Any) -> PixelChain | None:
    """The front of a float network; None where it is not such a chain.

    Args:
        structure, tree: of the same file, by ``parse_structure`` and ``read_tree``.
    """
    graph, source = _Graph(structure, tree), structure.inputs[0]
    shape = structure.tensors[source].shape
    if len(structure.inputs) != 1 or len(shape) != 4 or shape[0] != 1:
        return None
    if not 0 < math.prod(shape) <= _MOST_VALUES:
        return None
    answer = np.zeros(shape[1:])
    gain, offset = np.ones(shape[3]), np.zeros(shape[3])
    before, paddings = list[int](), list[int]()
    while (operator := graph.only_reader(source)) is not None:
        if (affine := graph.affine(operator, source, shape[3])) is not None:
            if graph.activation(operator):
                return None
            factor, addend = affine
            gain, offset = gain * factor, offset * factor + addend
            answer = answer * factor + addend
            before.append(operator.index)
        elif (sizes := graph.paddings(operator)) is not None:
            padded = [side + sum(more) for side, more in zip(answer.shape, sizes, strict=True)]
            if math.prod(padded) > _MOST_VALUES:
                return None
            answer = np.pad(answer, sizes)
            paddings.append(operator.index)
        else:
            break
        source = operator.outputs[0]
    if operator is None:
        return None
    found = _convolution(graph, operator, answer, gain)
    if found is None:
        return None
    kernel, answer, behind = _with_behind(graph, operator, *found)
    last = graph.structure.operators[behind[-1]] if behind else operator
    made = graph.structure.tensors[last.outputs[0]].shape
    if made != (1, *answer.shape) or not (np.isfinite(answer).all() and np.isfinite(kernel).all()):
        return None
    return PixelChain(
        before=tuple(before),
        paddings=tuple(paddings),
        stem=operator.index,
        behind=tuple(behind),
        gain=gain,
        offset=offset,
        kernel=kernel,
        answer=answer,
        activation=graph.activation(last),
    )


def _convolution(
    graph: _Graph, stem: Operator, image: Float64Array, gain: Float64Array
) -> tuple[Float64Array, Float64Array] | None:
    """A convolution's kernel for unscaled pixels, and its answer to an image.

    Returns:
        None where the operator is not one, or has no constant kernel and bias.
    """
    if stem.name not in {"CONV_2D", "DEPTHWISE_CONV_2D"}:
        return None
    stored, bias = graph.constant(stem.inputs[1]), graph.bias(stem)
    if stored is None or bias is None or stored.ndim != 4:
        return None
    kernel, channels = stored.astype(np.float64), gain.size
    if stem.name == "DEPTHWISE_CONV_2D":
        if kernel.shape[3] % channels:
            return None
        scaled = kernel * np.repeat(gain, kernel.shape[3] // channels)
        # Rows x columns x inputs x outputs, as an ordinary one: each output has one input.
        own = np.repeat(np.eye(channels), kernel.shape[3] // channels, axis=1)
        taps = kernel[0][:, :, None, :] * own
    else:
        if kernel.shape[3] != channels:  # grouped
            return None
        scaled, taps = kernel * gain, kernel.transpose(1, 2, 3, 0)
    return scaled, _convolved(image, taps, graph.options(stem)) + bias


def _convolved(image: Float64Array, taps: Float64Array, options: Any) -> Float64Array:
    """A convolution in float64: rows x columns x inputs -> rows x columns x outputs."""
    strides = int(options.strideH), int(options.strideW)
    dilations = int(options.dilationHFactor), int(options.dilationWFactor)
    reach = [dilation * (size - 1) for dilation, size in zip(dilations, taps.shape, strict=False)]
    sizes = []
    if options.padding == _SAME:
        pads = []
        for side, stride, more in zip(image.shape, strides, reach, strict=False):
            sizes.append(-(-side // stride))
            missing = max((sizes[-1] - 1) * stride + more + 1 - side, 0)
            pads.append((missing // 2, missing - missing // 2))
        image = np.pad(image, (*pads, (0, 0)))
    else:
        sizes = [
            max((side - more - 1) // stride + 1, 0)
            for side, stride, more in zip(image.shape, strides, reach, strict=False)
        ]
    answer = np.zeros((*sizes, taps.shape[3]))
    for row, column in np.ndindex(taps.shape[:2]):
        seen = image[row * dilations[0] :: strides[0], column * dilations[1] :: strides[1]]
        answer += seen[: sizes[0], : sizes[1]] @ taps[row, column]
    return answer


def _with_behind(
    graph: _Graph, stem: Operator, kernel: Float64Array, answer: Float64Array
) -> tuple[Float64Array, Float64Array, list[int]]:
    """Kernel and answer with the arithmetic behind a convolution, and its operators."""
    behind, last, channels = list[int](), stem, answer.shape[2]
    while not graph.activation(last):
        source = last.outputs[0]
        reader = graph.only_reader(source)
        if reader is None or reader.name == "DEPTHWISE_CONV_2D":
            break
        affine = graph.affine(reader, source, channels)
        if affine is None:
            break
        factor, addend = np.broadcast_to(affine[0], channels), affine[1]
        first = stem.name == "CONV_2D"  # its kernel has the outputs first
        kernel = kernel * (factor[:, None, None, None] if first else factor)
        answer = answer * factor + addend
        behind.append(reader.index)
        last = reader
    return kernel, answer, behind


@dataclass(frozen=True)
class _Graph:
    """A file's operators with their options and constants."""

    structure: Structure
    tree: Any

    def only_reader(self, tensor: int) -> Operator | None:
        """The operator that reads a tensor, if it is the only one and the tensor no output."""
        readers = [op for op in self.structure.operators if tensor in op.inputs]
        return readers[0] if len(readers) == 1 and tensor not in self.structure.outputs else None

    def options(self, operator: Operator) -> Any:
        return self.tree.subgraphs[0].operators[operator.index].builtinOptions

    def activation(self, operator: Operator) -> int:
        return int(getattr(self.options(operator), "fusedActivationFunction", 0))

    def constant(self, index: int, dtype: str = "float32") -> NDArray[Any] | None:
        """The values of a constant; None where it is none of this type."""
        tensor = self.structure.tensors[index]
        data = self.tree.buffers[self.tree.subgraphs[0].tensors[index].buffer].data
        if data is None or tensor.dtype != dtype or len(data) != 4 * tensor.elements:
            return None
        return np.asarray(data, np.uint8).view(dtype).reshape(tensor.shape)

    def bias(self, operator: Operator) -> NDArray[Any] | None:
        """Of a layer: 0 where it has none, None where it is no constant."""
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            return np.zeros(1)
        return self.constant(operator.inputs[2])

    def paddings(self, operator: Operator) -> list[tuple[int, int]] | None:
        """Rows, columns and channels that PAD adds; None where it is no padding of an image."""
        stored = self.constant(operator.inputs[1], "int32") if operator.name == "PAD" else None
        if stored is None or stored.shape != (4, 2) or stored[[0, 3]].any():
            return None
        return [(int(a), int(b)) for a, b in stored[1:]]

    def affine(
        self, operator: Operator, source: int, channels: int
    ) -> tuple[Float64Array, Float64Array] | None:
        """(factor, addend) of what scales and shifts each channel; one value, or one each."""
        if operator.name == "DEPTHWISE_CONV_2D":
            return self._pointwise(operator, channels)
        if operator.name not in {"ADD", "SUB", "MUL", "DIV"}:
            return None
        first = operator.inputs[0] == source
        stored = self.constant(operator.inputs[1 if first else 0])
        if stored is None or stored.ndim > len(_IMAGE_AXES):
            return None
        if stored.size != 1 and (stored.size, stored.shape[-1]) != (channels, channels):
            return None  # another value for each row or column, as it may be
        value = stored.reshape(-1).astype(np.float64)
        none, one = np.zeros(1), np.ones(1)
        if operator.name == "MUL":
            return value, none
        if operator.name == "ADD":
            return one, value
        if operator.name == "SUB":
            return (one, -value) if first else (-one, value)
        return (1 / value, none) if first and value.all() else None

    def _pointwise(
        self, operator: Operator, channels: int
    ) -> tuple[Float64Array, Float64Array] | None:
        kernel, bias = self.constant(operator.inputs[1]), self.bias(operator)
        options = self.options(operator)
        if kernel is None or bias is None or kernel.shape != (1, 1, 1, channels):
            return None
        if (options.strideH, options.strideW) != (1, 1):
            return None
        return kernel.reshape(-1).astype(np.float64), bias.astype(np.float64)
