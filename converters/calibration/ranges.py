"""Activation ranges: what every tensor of the float model holds on the calibration images.

Ranges are data: collected once (slow), after which each recipe costs a second. One rule does
not fit all tensors: where every channel is one value (behind a global average) clipping can ruin
a channel, where thousands of positions share a range a rare outlier is worth clipping, and
what a swish reads is worth nothing far below zero. So tensors have roles, and a table says
which method sets the ranges of a role. The input and the logits are never clipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from converters.calibration.representative import Calibration
from converters.tflite_graph.activations import collect_activations
from converters.tflite_graph.bounds import upper_bounds
from converters.tflite_graph.segments import logit_names
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import normalize
from edge_effnet.plurals import counted
from edge_effnet.tflite.reader import Operator, Structure, Tensor

Ranges = dict[str, tuple[float, float]]
Role = Literal["pooled", "activated", "depthwise", "swish", "excite", "linear"]
# mean:   mean over images of each image's extremes
# most:   wide enough for 19 images in 20, and a quarter wider
# wide:   the mean of extremes, a quarter wider
# widest: the mean of extremes, half as wide again
# whole:  the extremes of all images: nothing they show is cut off
Method = Literal["mean", "most", "wide", "widest", "whole"]
Methods = Mapping[Role, Method]

ROLES: dict[Role, str] = {
    "pooled": "one value per channel: squeeze-and-excite and the pooled features",
    "activated": "read by a swish or a sigmoid",
    "depthwise": "the same, made by a depthwise convolution",
    "swish": "what a swish answers",
    "excite": "channels times their squeeze-and-excite gates",
    "linear": "all others: projections, sums, rectified layers",
}
# Nearly what other converters do: the first strategy, to compare with.
PLAIN_METHODS: Methods = dict.fromkeys(ROLES, "mean")
# What tells a class may be cut off beyond a border, what tells how much may not.
WHOLE_METHODS: Methods = dict.fromkeys(ROLES, "whole")
# What helps two unlike networks; what helps only one is left to the search.
ROLE_METHODS: Methods = {
    "pooled": "most",
    "activated": "mean",
    "depthwise": "mean",
    "swish": "mean",
    "excite": "widest",
    "linear": "wide",
}

# Generated images excite the classes less than photos do, so their range is widened to leave real
# ones unclipped.
GENERATED_LOGIT_MARGIN = 2.0
# Nor do they excite what recognizes things: whole channels, and gates on channels.
GENERATED_WIDENING: Mapping[Role, float] = {"pooled": 1.4, "excite": 1.25}
# Photos the calibration did not see may be recognized more surely than those it saw.
LOGIT_MARGIN = 1.15
_WIDENINGS: Mapping[Method, float] = {"mean": 1.0, "most": 1.25, "wide": 1.25, "widest": 1.5}
_MOST_IMAGES = 0.95


@dataclass(frozen=True)
class Statistics:
    """What the float model's tensors hold, by tensor name.

    Attributes:
        lows, highs: extremes of every float tensor, arrays of shape (images,).
        logits: what the softmax or sigmoid at the end reads, images x classes.
    """

    lows: dict[str, NDArray[np.float32]]
    highs: dict[str, NDArray[np.float32]]
    logits: NDArray[np.float32]

    @property
    def images(self) -> int:
        return len(next(iter(self.lows.values())))


def collect_statistics(
    model: bytes,
    structure: Structure,
    calibration: Calibration,
    *,
    workers: int,
    progress: Callable[[], None] = lambda: None,
) -> Statistics:
    """Run the float model on the calibration images and note every tensor's extremes.

    Args:
        workers: interpreters at work at once.
        progress: called as often as there are images.

    Raises:
        DataError: an image cannot be read, or makes a tensor overflow.
    """
    made = {index for operator in structure.operators for index in operator.outputs}
    watched = {
        index: tensor.name
        for index, tensor in enumerate(structure.tensors)
        if tensor.dtype == "float32" and index in {*structure.inputs, *made}
    }

    names = list(watched.values())
    answer = names.index(logit_names(structure)[0])

    def reducer(_: int, place: int, values: NDArray[Any]) -> tuple[Any, Any, Any]:
        return values.min(), values.max(), values.flatten() if place == answer else None

    found = collect_activations(
        model, list(watched), calibration.inputs(), reducer, workers=workers, progress=progress
    )
    table = np.array([[ends for *ends, _ in image] for image in found], np.float32)
    broken = np.flatnonzero(~np.isfinite(table).all(axis=(0, 2)))
    if broken.size:
        raise DataError(
            "the float model does not give numbers for the calibration images",
            found=f"NaN or infinity in {counted(broken.size, 'tensor')}, first "
            f"{names[broken[0]][-60:]}",
            expected="finite values",
            fix="check the weights; training that diverged leaves such values",
        )
    return Statistics(
        {name: table[:, i, 0] for i, name in enumerate(names)},
        {name: table[:, i, 1] for i, name in enumerate(names)},
        np.stack([image[answer][-1] for image in found]),
    )


def choose_ranges(
    statistics: Statistics,
    structure: Structure,
    calibration: Calibration,
    model: bytes,
    methods: Methods = ROLE_METHODS,
) -> Ranges:
    """From statistics to the range of each tensor, by the method of its role.

    The input's range is known, not measured, unless each image is standardized by itself: pixels
    0–255 as the preprocessing hands them over, so pixels pass exactly; so is that of what a
    pointwise operator makes of them. The logits are never clipped: they get the extremes over
    all images and a margin. Roles that generated images excite too little get more than those
    show. What a ReLU6 makes ends at 6 at the latest.
    """
    roles = tensor_roles(structure)
    ranges = {
        name: method_range(statistics, name, methods[roles.get(name, "linear")])
        for name in statistics.lows
    }
    if calibration.kind == "generated":
        for name, (low, high) in ranges.items():
            factor = GENERATED_WIDENING.get(roles.get(name, "linear"), 1.0)
            ranges[name] = factor * low, factor * high
    for name, largest in upper_bounds(model).items():
        low, high = ranges[name]
        ranges[name] = low, min(high, largest)
    ranges.update(pinned_ranges(model, structure, calibration))
    if calibration.preprocess.standardize:
        image = structure.tensors[structure.inputs[0]].name
        ranges[image] = method_range(statistics, image, "whole")
    margin = LOGIT_MARGIN if calibration.kind == "images" else GENERATED_LOGIT_MARGIN
    for name in logit_names(structure):
        low, high = statistics.lows[name].min(), statistics.highs[name].max()
        ranges[name] = (float(low) * margin, float(high) * margin)
    return ranges


def tensor_roles(structure: Structure) -> dict[str, Role]:
    """The role of each activation, read off the graph."""
    readers: dict[int, list[Operator]] = {}
    makers = {operator.outputs[0]: operator for operator in structure.operators}
    for operator in structure.operators:
        for index in operator.inputs:
            readers.setdefault(index, []).append(operator)
    roles: dict[str, Role] = {}
    for index, maker in makers.items():
        tensor = structure.tensors[index]
        role: Role = "linear"
        if tensor.shape and tensor.elements == tensor.shape[-1]:
            role = "pooled"
        elif any(reader.name == "LOGISTIC" for reader in readers.get(index, ())):
            role = "depthwise" if maker.name == "DEPTHWISE_CONV_2D" else "activated"
        elif maker.name == "MUL":
            gates = [i for i in maker.inputs if i in makers and makers[i].name == "LOGISTIC"]
            own = any(makers[gate].inputs[0] in maker.inputs for gate in gates)
            role = "swish" if own else "excite" if gates else "linear"
        roles[tensor.name] = role
    return roles


def method_range(statistics: Statistics, name: str, method: Method) -> tuple[float, float]:
    """One tensor's range by one method."""
    lows, highs = statistics.lows[name], statistics.highs[name]
    if method == "whole":
        return float(lows.min()), float(highs.max())
    if method == "most":
        low, high = np.quantile(lows, 1 - _MOST_IMAGES), np.quantile(highs, _MOST_IMAGES)
    else:
        low, high = lows.mean(), highs.mean()
    widening = _WIDENINGS[method]
    return widening * float(low), widening * float(high)


_POINTWISE = {"MUL", "ADD", "SUB", "DIV", "DEPTHWISE_CONV_2D"}


def pinned_ranges(model: bytes, structure: Structure, calibration: Calibration) -> Ranges:
    """Ranges of the input and of the pointwise operators right behind it.

    Each of those is monotone in every pixel value, so an all-black and an all-white image
    give its extremes exactly.
    """
    spec, source = calibration.preprocess, structure.inputs[0]
    if spec.standardize:  # each image has its own range
        return {}
    chain = [source]
    for operator in structure.operators:
        moving = [i for i in operator.inputs if i >= 0 and not structure.tensors[i].constant_bytes]
        if moving == [chain[-1]] and _is_pointwise(operator.name, operator.inputs, structure):
            chain.append(operator.outputs[0])
    ends = [normalize(np.full(spec.shape, level, np.uint8), spec) for level in (0, 255)]

    def reducer(_: int, __: int, values: NDArray[Any]) -> tuple[float, float]:
        return float(values.min()), float(values.max())

    black, white = collect_activations(model, chain, ends, reducer, workers=1)
    return {
        structure.tensors[index].name: (min(*dark, *bright), max(*dark, *bright))
        for index, dark, bright in zip(chain, black, white, strict=True)
    }


def _is_pointwise(name: str, inputs: tuple[int, ...], structure: Structure) -> bool:
    if name not in _POINTWISE:
        return False
    if name != "DEPTHWISE_CONV_2D":
        return True
    kernel: Tensor = structure.tensors[inputs[1]]
    return kernel.shape[:3] == (1, 1, 1)
