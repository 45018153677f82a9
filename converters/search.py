"""Choosing each tensor's range by what the network answers, not by what the tensor holds.

Tensor-wise errors mislead: of EfficientNetV2-B0's products some want half of their mean extremes
and others half as much again, because a single channel that clipping cuts decides the answer.
So one tensor at a time is stored in 8 bits, all others in float, and both ends of its range
climb to where the answer moves least. The errors of tensors are nearly independent (their sum
is within a fifth of all together), so the best range of each is the best of all. Calibration
pictures judge; no label is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.isolate import Dissection, Isolated, cut_behind, stored_in_int8
from converters.observe import Picture, observe
from converters.ranges import Ranges, Statistics, logit_names
from edge_effnet.tflite_file import Structure, parse_structure

Logits = NDArray[np.float32]

# One step of an end: a fifth wider or narrower. Within a step the error hardly changes.
_STEP = 2**0.25
_FARTHEST = 8.0
# Where the answer moves by less than this share of its energy there is nothing to gain: all
# tensors together come to some hundreds of it.
_NEGLIGIBLE_SHARE = 4e-5
_EXTREME_JUDGES, _USUAL_JUDGES = 6, 12
# An end that is so small a part of the range is worth no trial: it sets no resolution.
_SMALL_END = 0.1


@dataclass(frozen=True)
class Found:
    """One tensor's range and what storing the tensor in 8 bits does to the answer.

    Attributes:
        share_before, share: energy of the change over the answer's own, with the range the
            search began with and with the one it found.
    """

    range: tuple[float, float]
    share_before: float
    share: float


def search_ranges(
    model: bytes,
    structure: Structure,
    ranges: Ranges,
    pinned: frozenset[str],
    statistics: Statistics,
    pictures: Sequence[Picture],
    *,
    workers: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[str, Found]:
    """Find the range of each tensor that leaves the network's logits nearest to float's.

    Args:
        ranges: where to begin.
        pinned: tensors whose range is known and stays.
        pictures: all that the statistics were collected on, in the same order.
        progress: told (tensors done, tensors in all).
    """
    places = {tensor.name: index for index, tensor in enumerate(structure.tensors)}
    answer = places[logit_names(structure)[0]]
    dissection = Dissection(model, structure, answer)
    wanted = logits(model, structure, pictures, workers=workers)
    todo = [
        operator.outputs[0]
        for operator in structure.operators
        # What a sigmoid answers has a fixed scale in integers; logits are never clipped.
        if operator.name not in {"LOGISTIC", "SOFTMAX"}
        and (name := structure.tensors[operator.outputs[0]].name) in ranges
        and name not in pinned
        and cut_behind(structure, operator.outputs[0], answer).rear
    ]
    done = 0

    def search(index: int) -> tuple[str, Found]:
        nonlocal done
        name = structure.tensors[index].name
        chosen, weights = _judges(statistics, name)
        tensor = dissection.isolate(index, [pictures[i] for i in chosen], wanted[chosen])
        found = _climb(tensor, weights, ranges[name])
        done += 1
        progress(done, len(todo))
        return name, found

    with ThreadPoolExecutor(workers) as pool:
        return dict(pool.map(search, todo))


def _judges(statistics: Statistics, name: str) -> tuple[list[int], NDArray[np.float32]]:
    """Pictures that judge a tensor's range, and how many each stands for.

    What a range clips is rare: one picture in fifty may hold the value that decides. So those
    where the tensor reaches farthest are all asked, and a few others stand for the rest.
    """
    lows, highs = statistics.lows[name], statistics.highs[name]
    reach = np.maximum(lows / min(lows.mean(), -1e-6), highs / max(highs.mean(), 1e-6))
    order = np.argsort(-reach, kind="stable")
    extreme, others = order[:_EXTREME_JUDGES], order[_EXTREME_JUDGES:]
    picked = others[:: max(1, len(others) // _USUAL_JUDGES)][:_USUAL_JUDGES]
    weights = np.ones(len(extreme) + len(picked), np.float32)
    weights[len(extreme) :] = len(others) / max(len(picked), 1)
    return [*map(int, extreme), *map(int, picked)], weights


def _climb(tensor: Isolated, weights: NDArray[np.float32], start: tuple[float, float]) -> Found:
    """Move the upper end, then the lower, while the answer comes nearer to float's."""
    low, high = start

    def share(down: float, up: float) -> float:
        return tensor.noise_share(
            lambda values: stored_in_int8(values, low * down, high * up), weights
        )

    before = best = share(1, 1)
    down = up = 1.0
    if before > _NEGLIGIBLE_SHARE:
        if high > _SMALL_END * (high - low):
            up, best = _climb_end(lambda factor: share(down, factor), best)
        if -low > _SMALL_END * (high - low):
            down, best = _climb_end(lambda factor: share(factor, up), best)
    return Found((low * down, high * up), before, best)


def _climb_end(share: Callable[[float], float], best: float) -> tuple[float, float]:
    """The factor with the least share, and that share, uphill from 1 in either direction."""
    chosen = 1.0
    for step in (_STEP, 1 / _STEP):
        while 1 / _FARTHEST < chosen * step < _FARTHEST:
            value = share(chosen * step)
            if value >= best:
                break
            chosen, best = chosen * step, value
        if chosen != 1.0:
            break
    return chosen, best


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
