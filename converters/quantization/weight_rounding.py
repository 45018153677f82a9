"""Rounds the weights of layers that add up few products by what their inputs really are.

Where a layer adds up hundreds of products, the errors of rounded weights cancel. A depthwise
kernel has nine, and inputs that rise and fall together: what nine errors have in common is added
nine times, the more so where a channel is nearly constant and its bias takes most of it away
again. So the weights of such a layer are rounded together: each up or down, so that the error
of its output on calibration images is least. The error's mean goes into the bias.

Same idea: Frantar et al. 2022, "Optimal Brain Compression" (arXiv:2208.11580), which rounds by
the second moments of a layer's inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.quantization.candidates import Candidate, Context
from converters.tflite_graph.activations import Image, activations_by_part
from converters.tflite_graph.layers import LARGEST_BIAS, quantized_layers
from edge_effnet.arrays import Float32Array
from edge_effnet.tflite.editor import read_tree, writable_constant
from edge_effnet.tflite.reader import parse_structure

Floats = NDArray[np.float64]

# Products that a layer adds up; with more of them errors cancel.
_MOST_WEIGHTS = 64
_IMAGES, _POSITIONS = 16, 128  # of each image
_LARGEST = 127
# Weights nearer to whole steps than this are stored exactly: nothing to choose.
_EXACT = 1e-3
# Of the mean variance of a layer's inputs, added to each: what they never show stays near.
_DAMPING = 1e-3


def apply(candidate: Candidate, context: Context) -> Candidate:
    """Step: the weights of an integer model's small kernels are rounded together."""
    images = context.correction_images[:_IMAGES]
    model = round_weights(context.model, candidate.model, images, workers=context.workers)
    return replace(candidate, model=model)


@dataclass(frozen=True, eq=False)
class _Layer:
    """A convolution of few weights.

    Attributes:
        source: what it reads in the float model, a tensor index.
        kernel, bias: in the integer model.
        weights: in steps of each output channel, outputs x products.
        size, strides: rows and columns of the kernel.
        same: whether its input is padded, so that the output is as large, but for the strides.
        positions: of its output.
    """

    source: int
    kernel: int
    bias: int
    weights: Floats
    depthwise: bool
    size: tuple[int, int]
    strides: tuple[int, int]
    same: bool
    positions: int


def round_weights(
    model: bytes, quantized: bytes, images: Sequence[Image], *, workers: int
) -> bytes:
    """Round the small kernels of an integer model so that their answers are nearest to float's.

    Args:
        model: the float model that ``quantized`` was made from.
        quantized: full integer; left as it is.
        images: real-valued inputs, each height x width x channels; 16 photos are enough.

    Returns:
        The same file but for the values of some kernels and biases.
    """
    layers = _layers(model, quantized)
    rounded, structure = bytearray(quantized), parse_structure(quantized, "the quantized model")
    if not layers:
        return quantized
    for layer, (mean, covariance) in zip(
        layers, _moments(model, layers, images, workers), strict=True
    ):
        whole = round_together(layer.weights, covariance)
        kernel = writable_constant(rounded, layer.kernel).view(np.int8)
        kernel[:] = (whole.T if layer.depthwise else whole).reshape(-1).astype(np.int8)
        scales, bias_scales = (
            np.array(structure.tensors[index].scales) for index in (layer.kernel, layer.bias)
        )
        lost = ((layer.weights - whole) * mean).sum(axis=1) * scales
        bias = writable_constant(rounded, layer.bias).view(np.int32)
        moved = np.rint(bias + lost / bias_scales)
        fits = np.abs(moved) <= LARGEST_BIAS
        bias[fits] = moved[fits].astype(np.int32)
    return bytes(rounded)


def _layers(model: bytes, quantized: bytes) -> list[_Layer]:
    """The convolutions of few weights that are not stored exactly."""
    structure, original = (parse_structure(file, "the model") for file in (quantized, model))
    operators = {operator.outputs[0]: operator for operator in original.operators}
    schema, tree = read_tree(model)
    constants = bytearray(model)
    found = []
    for layer in quantized_layers(structure, original):
        operator = operators[layer.float_output]
        source, kernel = operator.inputs[:2]
        shape, read = original.tensors[kernel].shape, original.tensors[source].shape
        depthwise = operator.name == "DEPTHWISE_CONV_2D"
        if operator.name not in {"CONV_2D", "DEPTHWISE_CONV_2D"} or shape[3] != read[3]:
            continue
        options = tree.subgraphs[0].operators[operator.index].builtinOptions
        dilated = (options.dilationHFactor, options.dilationWFactor) != (1, 1)
        if dilated or int(np.prod(shape[1:3] if depthwise else shape[1:])) > _MOST_WEIGHTS:
            continue
        stored = writable_constant(constants, kernel).view(np.float32)
        rows = stored.reshape(-1, shape[3]).T if depthwise else stored.reshape(shape[0], -1)
        scales = np.array(structure.tensors[layer.kernel].scales)[:, None]
        weights = rows.astype(np.float64) / scales
        if np.abs(weights - np.rint(weights)).max() < _EXACT:
            continue
        found.append(
            _Layer(
                source,
                layer.kernel,
                layer.bias,
                weights,
                depthwise,
                (shape[1], shape[2]),
                (options.strideH, options.strideW),
                options.padding == schema.Padding.SAME,
                int(np.prod(original.tensors[layer.float_output].shape[1:3])),
            )
        )
    return found


def _moments(
    model: bytes, layers: Sequence[_Layer], images: Sequence[Image], workers: int
) -> list[tuple[Floats, Floats]]:
    """Mean and covariance of what each layer multiplies: (outputs or 1) x products, and x
    products."""

    chosen = {image: _chosen(layers, image) for image in range(len(images))}

    def reducer(image: int, place: int, values: NDArray[Any]) -> tuple[Any, Any]:
        read = _read_together(values[0], layers[place], chosen[image][place])
        return read.mean(axis=1), read.transpose(0, 2, 1) @ read / read.shape[1]

    sources = [layer.source for layer in layers]
    result = {}
    for part in activations_by_part(model, sources, images, reducer, workers=workers):
        for place, found in part.items():
            mean, second = (np.mean([image[i] for image in found], axis=0) for i in (0, 1))
            mean, second = mean.astype(np.float64), second.astype(np.float64)
            result[place] = mean, second - mean[:, :, None] * mean[:, None, :]
    return [result[place] for place in range(len(layers))]


def _chosen(layers: Sequence[_Layer], image: int) -> list[NDArray[np.int64]]:
    """Positions of each layer's output, drawn anew for each image."""
    random = np.random.default_rng(image)
    return [
        random.choice(layer.positions, min(_POSITIONS, layer.positions), replace=False)
        for layer in layers
    ]


def _read_together(values: Float32Array, layer: _Layer, chosen: NDArray[np.int64]) -> Float32Array:
    """What a layer multiplies at some positions: (channels or 1) x positions x products.

    Args:
        values: its input, height x width x channels.
        chosen: positions of its output.
    """
    if layer.same:
        values = np.pad(values, [*map(_padding, values.shape, layer.size, layer.strides), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(values, layer.size, axis=(0, 1))
    windows = windows[:: layer.strides[0], :: layer.strides[1]]
    columns = windows.shape[1]
    read = windows[chosen // columns, chosen % columns]  # positions, channels, rows, columns
    count, channels = read.shape[:2]
    if layer.depthwise:
        return np.ascontiguousarray(read.reshape(count, channels, -1).transpose(1, 0, 2))
    return np.ascontiguousarray(read.transpose(0, 2, 3, 1).reshape(1, count, -1))


def _padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    missing = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return missing // 2, missing - missing // 2


def round_together(weights: Floats, covariance: Floats) -> Floats:
    """Whole numbers next to the weights with the least variance of the error of their sums.

    One weight at a time goes to the other of its two neighbours, the one that gains most, until
    none gains.

    Args:
        weights: in steps, outputs x products.
        covariance: of what they are multiplied with, (outputs or 1) x products x products.
    """
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    damped = covariance + np.eye(weights.shape[1]) * (
        _DAMPING * variance.mean(axis=1)[:, None, None] + 1e-12
    )
    curvature = np.diagonal(damped, axis1=1, axis2=2)
    whole = np.clip(np.rint(weights), -_LARGEST, _LARGEST)
    rows = np.arange(len(weights))
    for _ in range(4 * weights.shape[1]):
        error = whole - weights
        move = np.where(error > 0, -1, 1)  # to the neighbour on the other side
        move = np.where(np.abs(whole + move) > _LARGEST, 0, move)
        slope = (damped @ error[:, :, None])[:, :, 0]
        gain = -(2 * move * slope + move**2 * curvature)
        best = gain.argmax(axis=1)
        better = gain[rows, best] > 1e-9 * curvature.max()
        if not better.any():
            break
        whole[rows[better], best[better]] += move[rows, best][better]
    return whole
