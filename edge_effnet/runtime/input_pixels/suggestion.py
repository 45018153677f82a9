"""The likely way in which pixels become the input, where nothing says it and no photo is labelled.

Two signs speak of it, and neither is proof, so that what comes of them is asked for. The first
layer's outputs vary by about one where the pixels come as in training: batch normalization, which
is folded into it, or the initial weights see to that; another range of pixels makes this a
hundred times more or less. And answers differ from image to image by a few units of
log-probability, where too small values give one answer to everything and too large ones a
certainty that no training leaves behind. Both tell 0-255 from 0-1 and not 0-1 from -1-1, where it
is how most authors do it that decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.image.preprocessing import Channels, Pixels, Preprocess, normalize, preprocess
from edge_effnet.runtime.input_pixels.rescaling import before_first_layer
from edge_effnet.runtime.input_pixels.running import open_running
from edge_effnet.runtime.input_pixels.ways import scalings_of
from edge_effnet.runtime.tensors import dequantize_out, quantize_in, tensor_format
from edge_effnet.tflite.constants import layer_kernel
from edge_effnet.tflite.reader import Structure

_SHARES = {"unit": 0.5, "raw": 0.2, "tf": 0.15, "torch": 0.06, "standardize": 0.05, "caffe": 0.04}
"""How 60 authors of public repositories feed their networks, about."""
_USUAL_SPREAD = (0.2, 10.0)
"""Standard deviation of log-probabilities over images, of networks fed as in training."""
_USUAL_FIRST_LAYER = 0.6
"""Standard deviation of the first layer's outputs: 0.1 to 5 in fifteen networks fed as in training,
one hundred times more or less otherwise."""
_FAR_LIKELIER = 3.5
"""Of the signs, which are logarithms: forty times; the right way is never so far behind."""
IMAGES = 12
_PATCHES = 64
_SMALLEST = 1e-30


def likely_ways(
    model: bytes, structure: Structure, base: Preprocess, photos: Sequence[Pixels] = ()
) -> list[Preprocess]:
    """The usual scalings, the likeliest first.

    Args:
        base: fit and channels.
        photos: RGB, of any size; drawn images stand in where there are none.
    """
    ways = scalings_of(base)
    signs = _signs(model, structure, list(ways.values()), photos)
    scores = {
        way: math.log(_SHARES[name]) + sign
        for (name, way), sign in zip(ways.items(), signs, strict=True)
    }
    return sorted(scores, key=lambda way: -scores[way])


def unlikely(model: bytes, structure: Structure, told: Preprocess) -> Preprocess | None:
    """The likeliest scaling, where it is far likelier than what the user said; else None."""
    ways = [told, *scalings_of(told).values()]
    signs = _signs(model, structure, ways, ())
    if max(signs) - signs[0] < _FAR_LIKELIER:
        return None
    return likely_ways(model, structure, told)[0]


def _signs(
    model: bytes, structure: Structure, ways: Sequence[Preprocess], photos: Sequence[Pixels]
) -> list[float]:
    """What both signs say of each way: 0 at best."""
    given = photos or stand_in_images(IMAGES)
    plain = replace(
        ways[0], mean=(0.0,), std=(1.0,), standardize=False, channels=_colour(ways[0].channels)
    )
    images = [preprocess(pixels, plain) for pixels in given[:IMAGES]]
    spread = _Spread(model)
    signs = []
    for way in ways:
        inputs = [normalize(_turned(pixels, way, plain), way) for pixels in images]
        sign = 0.0
        if spread.usable:
            seen = max(spread.of(inputs), 1e-6)
            sign -= abs(math.log(seen / float(np.clip(seen, *_USUAL_SPREAD))))
        deviation = first_layer_deviation(model, structure, inputs)
        if deviation is not None:
            sign -= abs(math.log(max(deviation, 1e-6) / _USUAL_FIRST_LAYER))
        signs.append(sign)
    return signs


def _colour(channels: Channels) -> Channels:
    return "grey" if channels == "grey" else "rgb"


def _turned(pixels: Pixels, way: Preprocess, base: Preprocess) -> Pixels:
    return pixels if way.channels == base.channels else pixels[..., ::-1]


class _Spread:
    """How much a network's answers differ from image to image."""

    def __init__(self, model: bytes) -> None:
        self._interpreter: Any = open_running(model)
        self.usable = False
        if self._interpreter is not None:
            self._source = self._interpreter.get_input_details()[0]
            self._output = self._interpreter.get_output_details()[0]
            self.usable = int(self._source["shape"][0]) == 1

    def of(self, inputs: Sequence[NDArray[np.float32]]) -> float:
        """Standard deviation of the log-probabilities around each class's mean."""
        rows = []
        for image in inputs:
            stored = quantize_in(image, tensor_format(self._source))[None]
            self._interpreter.set_tensor(self._source["index"], stored)
            self._interpreter.invoke()
            answer = self._interpreter.get_tensor(self._output["index"])
            rows.append(dequantize_out(answer, tensor_format(self._output)).reshape(-1))
        scores = np.nan_to_num(np.asarray(rows, np.float64))
        if scores.min() >= 0 and scores.max() <= 1:  # probabilities
            if scores.shape[1] == 1:
                scores = np.concatenate([1 - scores, scores], axis=1)
            scores = np.log(np.clip(scores, _SMALLEST, 1))
        scores = scores - scores.mean(axis=1, keepdims=True)
        return float((scores - scores.mean(axis=0)).std())


def first_layer_deviation(
    model: bytes, structure: Structure, inputs: Sequence[NDArray[np.float32]]
) -> float | None:
    """Standard deviation of the first convolution's outputs over places of the images: the upper
    quartile of its channels, of which some are dead. None where the network does not begin with a
    convolution.

    Args:
        inputs: real-valued, height x width x channels.
    """
    layer = next((op for op in structure.operators if op.name == "CONV_2D"), None)
    if layer is None or not inputs:
        return None
    kernel = layer_kernel(model, structure, layer)
    if kernel is None or kernel.ndim != 4 or kernel.shape[3] != inputs[0].shape[2]:
        return None
    inside = before_first_layer(model, structure)
    rows, columns = kernel.shape[1:3]
    random = np.random.default_rng(0)
    patches = []
    for image in inputs:
        height, width = image.shape[0] - rows, image.shape[1] - columns
        if height < 0 or width < 0:
            return None
        tops = random.integers(0, height + 1, _PATCHES)
        lefts = random.integers(0, width + 1, _PATCHES)
        patches += [image[y : y + rows, x : x + columns] for y, x in zip(tops, lefts, strict=True)]
    seen = np.asarray(patches, np.float64) * inside.a + inside.b
    outputs = np.einsum("pijc,oijc->po", seen, kernel)
    return float(np.quantile(outputs.std(axis=0), 0.75))


def stand_in_images(count: int, side: int = 128) -> list[Pixels]:
    """Drawn images with the brightness, contrast and smoothness of photos: RGB, uint8.

    Noise whose power falls with the square of the frequency, as that of photos does, around a
    mean of its own for each image.
    """
    random = np.random.default_rng(0)
    images = []
    for _ in range(count):
        canvas = np.zeros((side, side, 3))
        for octave in range(1, 6):
            size = 2**octave
            grey = random.normal(0, 1, (size, size, 1)) + random.normal(0, 0.4, (size, size, 3))
            canvas += cv2.resize(grey, (side, side), interpolation=cv2.INTER_CUBIC)
        pixels = random.normal(118, 30) + 55 * (canvas - canvas.mean()) / canvas.std()
        images.append(np.asarray(np.clip(pixels, 0, 255), np.uint8))
    return images
