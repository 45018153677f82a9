"""Bias correction: undo, layer by layer, the mean error that integers put on each channel.

Rounding and clipping do not only add noise: small values round to zero together, a sigmoid
that ends at 255/256 lowers every large answer, and such errors add up through the layers. What
is systematic in a channel can be subtracted in the int32 bias at no cost in speed.

Source: Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias
Correction" (arXiv:1906.04721), its empirical form. New here is that a layer's error is
measured behind the swish or sigmoid that follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.quantization.candidates import Candidate, Context
from converters.tflite_graph.activations import Image, activations_by_part, stored_images
from converters.tflite_graph.layers import (
    LARGEST_BIAS,
    Follower,
    QuantizedLayer,
    quantized_layers,
    slope,
    without_outliers,
)
from converters.tflite_graph.segments import segments
from converters.tflite_graph.subgraph import SubgraphExtractor, run_part
from edge_effnet.arrays import Float32Array
from edge_effnet.tflite.editor import writable_constant
from edge_effnet.tflite.reader import Structure, parse_structure

# Values sampled per tensor and image: whole rows of channels, evenly spread.
_SAMPLED_VALUES = 16_384
# Where the follower is flat (a dead channel) no bias can move its answer, and the least-squares
# step would be noise divided by nothing: a floor under the mean squared slope.
_SLOPE_FLOOR: dict[Follower, float] = {"none": 0.0, "sigmoid": 0.005, "swish": 0.05}


def apply(candidate: Candidate, context: Context) -> Candidate:
    """Step: the biases of an integer model are corrected."""
    model = correct_bias(
        context.model, candidate.model, context.correction_images, workers=context.workers
    )
    return replace(candidate, model=model)


def correct_bias(
    model: bytes,
    quantized: bytes,
    images: Sequence[Image],
    *,
    workers: int,
) -> bytes:
    """Correct the biases of an integer model so that its channels answer as float's on average.

    Layers are corrected from the input on, each after those before it, so that no error is
    corrected twice. The network is walked segment by segment, from what the images have come
    to so far, so that a deep one costs no more for each layer than a shallow one.

    Args:
        model: the float model that ``quantized`` was made from.
        quantized: full integer; left as it is.
        images: real-valued inputs, each height x width x 3; 32 photos are enough.

    Returns:
        The corrected model: the same file but for bias values.
    """
    corrected = bytearray(quantized)
    structure = parse_structure(quantized, "the quantized model")
    layers = [
        layer
        for layer in quantized_layers(structure, parse_structure(model, "the float model"))
        if layer.follower != "relu"  # which hides the values that its bias can still move
    ]
    truth = _FloatValues(model, layers, images, workers)
    extractor = SubgraphExtractor(quantized, structure, structure.outputs[0])
    source, held = structure.inputs[0], stored_images(quantized, images)
    done = 0
    for segment in segments(structure, [(layer.output, layer.activation) for layer in layers]):
        indices = [i for i, layer in enumerate(layers) if layer.activation in segment.inside]
        targets = sorted({*(layers[i].activation for i in indices), segment.end})
        part = bytearray(extractor.extract(segment.operators, (source,), targets))
        for index in indices:
            layer = layers[index]
            step = _step(part, structure, layer, truth.take(index), (source, held), workers)
            for stored in (part, corrected):
                bias = writable_constant(stored, layer.bias).view(np.int32)
                moved = np.rint(bias + step / np.array(structure.tensors[layer.bias].scales))
                # Channels whose weights are almost zero have a tiny scale, nothing to correct.
                fits = np.abs(moved) <= LARGEST_BIAS
                bias[fits] = moved[fits].astype(np.int32)
            done += 1
        if done == len(layers):
            break
        held = run_part(part, source, held, segment.end, lambda _, v: v, workers=workers)
        source = segment.end
    return bytes(corrected)


class _FloatValues:
    """Samples of each layer's output and activation, read as far as they are asked for.

    In float16 to keep 32 images of a part of a large network within memory; its 11 bits are finer
    than the 8 that are being measured.
    """

    def __init__(
        self, model: bytes, layers: Sequence[QuantizedLayer], images: Sequence[Image], workers: int
    ) -> None:
        tensors = [i for layer in layers for i in (layer.float_output, layer.float_activation)]
        self._parts = activations_by_part(model, tensors, images, _sample, workers=workers)
        self._known: dict[int, list[NDArray[np.float16]]] = {}

    def take(self, layer: int) -> list[tuple[NDArray[np.float16], NDArray[np.float16]]]:
        """Those of one layer for each image; they are kept no longer."""
        places = 2 * layer, 2 * layer + 1
        while not self._known.keys() >= {*places}:
            self._known |= next(self._parts)
        return list(zip(*map(self._known.pop, places), strict=True))


def _sample(_: int, __: int, values: NDArray[Any]) -> NDArray[np.float16]:
    return np.asarray(np.clip(_rows(values), -65e3, 65e3), np.float16)


def _step(
    part: bytearray,
    structure: Structure,
    layer: QuantizedLayer,
    truth: Sequence[tuple[NDArray[np.float16], NDArray[np.float16]]],
    given: tuple[int, Sequence[NDArray[Any]]],
    workers: int,
) -> Float32Array:
    """The change of each channel's bias, in real units, that brings it nearest to float.

    Args:
        part: of the integer model, with the layer in it.
        truth: samples of float's output and activation, for each image.
        given: the tensor that the part reads, and its values for each image.

    Least squares: with the error e and the slope g of the follower at each value, the change
    d that minimizes the sum of (e - g d)² is sum(g e) / sum(g²).
    """
    tensor = structure.tensors[layer.activation]
    scale, zero_point = tensor.scales[0], tensor.zero_points[0]
    low, high = (-128 - zero_point) * scale, (127 - zero_point) * scale

    def reducer(image: int, values: NDArray[Any]) -> tuple[Float32Array, Float32Array, float]:
        output, activation = (part.astype(np.float32) for part in truth[image])
        steepness = slope(output, layer.follower)
        real = (_rows(values).astype(np.float32) - zero_point) * scale
        power = float((output**2).mean())
        # What the range clips is not the bias's to correct.
        error = np.clip(activation, low, high) - real
        return (steepness * error).mean(axis=0), (steepness**2).mean(axis=0), power

    found = run_part(part, *given, layer.activation, reducer, workers=workers)
    kept = [found[image] for image in without_outliers([power for *_, power in found])]
    toward = _certain_mean(np.stack([error for error, *_ in kept]))
    curvature = np.mean([part for _, part, _ in kept], axis=0)
    return np.asarray(toward / (curvature + _SLOPE_FLOOR[layer.follower]), np.float32)


def _certain_mean(values: Float32Array) -> Float32Array:
    """Mean over images of each channel, drawn towards zero where they disagree.

    The factor m²/(m² + s²), s the standard error, is the one of least expected squared error
    for a mean m. Without it the few positions of late layers, and the single one of pooled
    layers, are corrected by chance.

    Args:
        values: images x channels.
    """
    mean = values.mean(axis=0)
    error = values.var(axis=0) / max(len(values) - 1, 1)
    return np.asarray(mean * mean**2 / np.maximum(mean**2 + error, 1e-30), np.float32)


def _rows(values: NDArray[Any]) -> NDArray[Any]:
    """Positions x channels, thinned out evenly for large tensors."""
    rows = values.reshape(-1, values.shape[-1])
    return rows[:: max(1, values.size // _SAMPLED_VALUES)]
