"""Bias correction: undo, layer by layer, the mean error that integers put on each channel.

Rounding and clipping do not only add noise: small values round to zero together, a sigmoid
that ends at 255/256 lowers every large answer, and such errors add up through the layers. What
is systematic in a channel can be subtracted in the int32 bias at no cost in speed.

Source: Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias
Correction" (arXiv:1906.04721), its empirical form. New here is that a layer in front of a
swish or sigmoid is judged behind it: its large negative answers are worth nothing, yet would
dominate a plain mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from converters.flatfile import writable_constant
from converters.isolate import Dissection, run_part
from converters.observe import Picture, observe, open_observer
from edge_effnet.runtime.tensors import quantize_in, tensor_format
from edge_effnet.tflite_file import Operator, Structure, Tensor, parse_structure

Follower = Literal["none", "sigmoid", "swish"]
Floats = NDArray[np.float32]

# Values looked at per tensor and picture: whole rows of channels, evenly spread.
_SAMPLED_VALUES = 16_384
# Where the follower is flat (a dead channel) no bias can move its answer, and the least-squares
# step would be noise divided by nothing: a floor under the mean squared slope.
_SLOPE_FLOOR: dict[Follower, float] = {"none": 0.0, "sigmoid": 0.005, "swish": 0.05}
# Leaves room for the sum of products in the 32-bit accumulator.
_LARGEST_BIAS = 2**30


@dataclass(frozen=True)
class _Layer:
    """A convolution or dense layer whose bias can be corrected; tensor indices throughout.

    Attributes:
        output, judged: its own output, and that of the function behind it (else the same).
        float_output, float_judged: the same tensors in the float model.
    """

    bias: int
    output: int
    judged: int
    float_output: int
    float_judged: int
    follower: Follower


def correct_bias(
    model: bytes,
    small: bytes,
    pictures: Sequence[Picture],
    *,
    workers: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> bytes:
    """Correct the biases of an integer model so that its channels answer as float's on average.

    Layers are corrected from the input on, each after those before it, so that no error is
    corrected twice. The network is walked segment by segment, from what the pictures have come
    to so far, so that a deep one costs no more for each layer than a shallow one.

    Args:
        model: the float model that ``small`` was made from.
        small: full integer; left as it is.
        pictures: real-valued inputs, each height x width x 3; 32 photos are enough.
        progress: told (layers done, layers in all).

    Returns:
        The corrected model: the same file but for bias values.
    """
    corrected = bytearray(small)
    structure = parse_structure(small, "the quantized model")
    layers = _layers(structure, parse_structure(model, "the float model"))
    truth = _float_values(model, layers, pictures, workers)
    dissection = Dissection(small, structure, structure.outputs[0])
    source, held = structure.inputs[0], _inputs(small, pictures)
    done = 0
    for segment in segments(structure, [(layer.output, layer.judged) for layer in layers]):
        places = [i for i, layer in enumerate(layers) if layer.judged in segment.inside]
        targets = sorted({*(layers[i].judged for i in places), segment.end})
        part = bytearray(dissection.part(segment.operators, (source,), targets))
        for place in places:
            layer = layers[place]
            step = _step(part, structure, layer, place, truth, (source, held), workers)
            for whole in (part, corrected):
                bias = writable_constant(whole, layer.bias).view(np.int32)
                moved = np.rint(bias + step / np.array(structure.tensors[layer.bias].scales))
                # Channels whose weights are almost zero have a tiny scale, nothing to correct.
                fits = np.abs(moved) <= _LARGEST_BIAS
                bias[fits] = moved[fits].astype(np.int32)
            done += 1
            progress(done, len(layers))
        if done == len(layers):
            break
        held = run_part(part, source, held, segment.end, lambda _, v: v, workers=workers)
        source = segment.end
    return bytes(corrected)


@dataclass(frozen=True)
class Segment:
    """A stretch of a network between two places where all that is known is one tensor.

    Attributes:
        operators: their indices.
        inside: the tensors they make.
        end: the last of them, the only one that is read behind.
    """

    operators: tuple[int, ...]
    inside: frozenset[int]
    end: int


def segments(structure: Structure, pairs: Sequence[tuple[int, int]]) -> Iterator[Segment]:
    """Divide a network.

    Args:
        pairs: tensors that belong into one segment, the earlier first.
    """
    last = {index: op.index for op in structure.operators for index in op.inputs if index >= 0}
    for index in structure.outputs:
        last[index] = len(structure.operators)
    torn = {first for first, second in pairs if first != second}
    alive, operators = set(structure.inputs), list[Operator]()
    for operator in structure.operators:
        operators.append(operator)
        alive = {
            index for index in alive | set(operator.outputs) if last.get(index, -1) > operator.index
        }
        if len(alive) == 1 and not alive & torn:
            (end,) = alive
            inside = frozenset(index for op in operators for index in op.outputs)
            yield Segment(tuple(op.index for op in operators), inside, end)
            operators = []


def _inputs(small: bytes, pictures: Sequence[Picture]) -> list[NDArray[Any]]:
    """The pictures as the integer model's input, with a batch of 1."""
    form = tensor_format(open_observer(small).get_input_details()[0])
    return [quantize_in(picture, form)[None] for picture in pictures]


def _layers(small: Structure, model: Structure) -> list[_Layer]:
    places = {tensor.name: index for index, tensor in enumerate(model.tensors)}
    layers = []
    for operator in small.operators:
        if operator.name not in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}:
            continue
        output = operator.outputs[0]
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            continue
        if not small.tensors[output].scales:
            continue  # left in float
        kernel = small.tensors[operator.inputs[1]]
        if operator.name == "DEPTHWISE_CONV_2D" and kernel.shape[:3] == (1, 1, 1):
            continue  # the normalization of pixels: exact as it is
        follower, judged = _follower(small, operator)
        names = small.tensors[output].name, small.tensors[judged].name
        if (
            not small.tensors[judged].scales
            or not all(name in places for name in names)
            or _clipped_by_relu(small.tensors[output])
        ):
            continue
        float_output, float_judged = (places[name] for name in names)
        bias = operator.inputs[2]
        layers.append(_Layer(bias, output, judged, float_output, float_judged, follower))
    return layers


def _follower(structure: Structure, operator: Operator) -> tuple[Follower, int]:
    """What reads a layer's output, and the tensor behind that."""
    output = operator.outputs[0]
    readers = [reader for reader in structure.operators if output in reader.inputs]
    names = sorted(reader.name for reader in readers)
    if names == ["LOGISTIC"]:
        return "sigmoid", readers[0].outputs[0]
    if names == ["LOGISTIC", "MUL"]:
        product = next(reader for reader in readers if reader.name == "MUL")
        gate = next(reader for reader in readers if reader.name == "LOGISTIC")
        if set(product.inputs) == {output, gate.outputs[0]}:
            return "swish", product.outputs[0]
    return "none", output


def _clipped_by_relu(tensor: Tensor) -> bool:
    """A fused ReLU or ReLU6 hides which values its bias can still move."""
    return bool(tensor.zero_points) and tensor.zero_points[0] == np.iinfo(np.int8).min


def _float_values(
    model: bytes, layers: Sequence[_Layer], pictures: Sequence[Picture], workers: int
) -> list[list[tuple[NDArray[np.float16], NDArray[np.float16]]]]:
    """Samples of each layer's output and judged tensor, by picture and layer.

    In float16 to keep 32 pictures of a large network within memory; its 11 bits are finer than
    the 8 that are being judged.
    """
    wanted = [index for layer in layers for index in (layer.float_output, layer.float_judged)]

    def look(_: int, values: list[NDArray[Any]]) -> list[Any]:
        rows = [np.clip(_rows(value), -65e3, 65e3).astype(np.float16) for value in values]
        return list(zip(rows[::2], rows[1::2], strict=True))

    return observe(model, wanted, pictures, look, workers=workers)


def _step(
    part: bytearray,
    structure: Structure,
    layer: _Layer,
    place: int,
    truth: list[list[tuple[NDArray[np.float16], NDArray[np.float16]]]],
    given: tuple[int, Sequence[NDArray[Any]]],
    workers: int,
) -> Floats:
    """The change of each channel's bias, in real units, that brings it nearest to float.

    Args:
        part: of the integer model, with the layer in it.
        place: of the layer in ``truth``.
        given: the tensor that the part reads, and its values for each picture.

    Least squares: with the error e and the slope g of the follower at each value, the change
    d that minimizes the sum of (e - g d)² is sum(g e) / sum(g²).
    """
    tensor = structure.tensors[layer.judged]
    scale, zero_point = tensor.scales[0], tensor.zero_points[0]
    low, high = (-128 - zero_point) * scale, (127 - zero_point) * scale

    def look(picture: int, values: NDArray[Any]) -> tuple[Floats, Floats]:
        output, judged = (part.astype(np.float32) for part in truth[picture][place])
        slope = _slope(output, layer.follower)
        real = (_rows(values).astype(np.float32) - zero_point) * scale
        # What the range clips is not the bias's to mend.
        error = np.clip(judged, low, high) - real
        return (slope * error).mean(axis=0), (slope * slope).mean(axis=0)

    seen = run_part(part, *given, layer.judged, look, workers=workers)
    toward = _certain_mean(np.stack([part for part, _ in seen]))
    curvature = np.mean([part for _, part in seen], axis=0)
    return np.asarray(toward / (curvature + _SLOPE_FLOOR[layer.follower]), np.float32)


def _certain_mean(values: Floats) -> Floats:
    """Mean over pictures of each channel, drawn towards zero where they disagree.

    The factor m²/(m² + s²), s the standard error, is the one of least expected squared error
    for a mean m. Without it the few positions of late layers, and the single one of pooled
    layers, are corrected by chance.

    Args:
        values: pictures x channels.
    """
    mean = values.mean(axis=0)
    error = values.var(axis=0) / max(len(values) - 1, 1)
    return np.asarray(mean * mean**2 / np.maximum(mean**2 + error, 1e-30), np.float32)


def _slope(output: Floats, follower: Follower) -> Floats:
    """Derivative of the function behind a layer, at the layer's float output."""
    if follower == "none":
        return np.ones_like(output)
    gate = 1 / (1 + np.exp(-np.clip(output, -30, 30)))
    if follower == "sigmoid":
        return np.asarray(gate * (1 - gate), np.float32)
    return np.asarray(gate * (1 + output * (1 - gate)), np.float32)


def _rows(values: NDArray[Any]) -> NDArray[Any]:
    """Positions x channels, thinned out evenly for large tensors."""
    rows = values.reshape(-1, values.shape[-1])
    return rows[:: max(1, values.size // _SAMPLED_VALUES)]
