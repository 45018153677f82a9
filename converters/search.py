"""Choosing ranges by what the whole network answers, not by what a tensor holds.

The methods of ``converters.ranges`` are tried role by role, keeping what brings the integer
model's logits nearer to float's (coordinate descent). Tensor-wise errors mislead here: on
EfficientNetV2-B0, swish products with the least squared error of their own gave logits of 14.9 dB,
their mean extremes 15.7. Calibration pictures judge; no label is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.calibration import Calibration
from converters.observe import Picture, observe
from converters.quantize import quantize
from converters.ranges import (
    METHODS,
    ROLE_METHODS,
    Method,
    Methods,
    Ranges,
    Role,
    Statistics,
    choose_ranges,
    logit_names,
    tensor_roles,
)
from converters.recipes import QuantRecipe
from edge_effnet.tflite_file import Structure, parse_structure

Logits = NDArray[np.float32]

# In this order because the ranges of products matter most. Where one value per channel is at
# stake clipping never pays, so "pooled" keeps its extremes or the like of them.
_ORDER: tuple[Role, ...] = (*("activated", "depthwise", "swish", "excite", "linear", "pooled"),)
_PICTURES = 48


@dataclass(frozen=True)
class Search:
    """What was found.

    Attributes:
        decibels: logit signal-to-noise on the judging pictures, before and after.
        trials: networks made and judged.
    """

    methods: Methods
    ranges: Ranges
    decibels: tuple[float, float]
    trials: int


def search_ranges(
    model: bytes,
    structure: Structure,
    statistics: Statistics,
    calibration: Calibration,
    recipe: QuantRecipe,
    pictures: Sequence[Picture],
    *,
    workers: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Search:
    """Find the method for each role that keeps the network's logits nearest to float's.

    Args:
        recipe: full integer.
        pictures: judge; the first 48 are used.
        progress: told (trials done, trials in all).
    """
    judges = list(pictures[:_PICTURES])
    wanted = logits(model, structure, judges, workers=workers)

    def judge(methods: Methods) -> tuple[float, Ranges]:
        ranges = choose_ranges(statistics, structure, calibration, model, methods)
        small = quantize(model, recipe, ranges, "int8")
        answer = logits(small, structure, judges, workers=workers)
        return signal_to_noise(wanted, answer), ranges

    current: Methods = ROLE_METHODS
    first, ranges = judge(current)
    best, trials = first, 1
    plan = list(_plan(structure, statistics))
    for role, method in plan:
        if current[role] != method:
            candidate = {**current, role: method}
            value, found = judge(candidate)
            if value > best:
                current, best, ranges = candidate, value, found
        trials += 1
        progress(trials, len(plan) + 1)
    return Search(current, ranges, (first, best), trials)


def _plan(structure: Structure, statistics: Statistics) -> Iterator[tuple[Role, Method]]:
    roles = set(tensor_roles(structure).values())
    for role in _ORDER:
        if role not in roles:
            continue
        for method in METHODS:
            if method != "followed" or (role in {"activated", "depthwise"} and statistics.samples):
                yield role, method


def logits(
    model: bytes, structure: Structure, pictures: Sequence[Picture], *, workers: int
) -> Logits:
    """What a model says before its softmax: real values, pictures x classes.

    Args:
        model: the float model or an integer one made from it.
        structure: of the float model, whose tensor names both share.
    """
    own = parse_structure(model, "the model")
    name = logit_names(structure)[0]
    places = {tensor.name: index for index, tensor in enumerate(own.tensors)}
    tensor = own.tensors[places[name]]
    scale = tensor.scales[0] if tensor.scales else 1.0
    zero_point = tensor.zero_points[0] if tensor.scales else 0

    def look(_: int, values: list[NDArray[Any]]) -> Logits:
        return np.asarray((values[0].reshape(-1).astype(np.float32) - zero_point) * scale)

    seen = observe(model, [places[name]], pictures, look, workers=workers)
    return np.asarray(np.stack(seen), np.float32)


def signal_to_noise(wanted: Logits, answer: Logits) -> float:
    """In decibels; a constant added to all logits of a picture is no error (softmax)."""
    signal = wanted - wanted.mean(axis=1, keepdims=True)
    noise = signal - (answer - answer.mean(axis=1, keepdims=True))
    power, lost = float((signal**2).sum()), float((noise**2).sum())
    return float(10 * np.log10(max(power, 1e-20) / max(lost, 1e-20)))
