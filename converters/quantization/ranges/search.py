"""Chooses each tensor's range by the error of the network's output, not of the tensor.

One tensor at a time is stored in 8 bits, all others in float, and both ends of its range move
outwards to where the output's error is least. The errors of tensors are nearly independent, so
the best range of each is the best of all. Calibration images decide; no label is needed.

Never inwards: so few images cannot show what a narrower range would cut from others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from converters.calibration.ranges import pinned_ranges
from converters.quantization.candidates import Candidate, Context
from converters.quantization.ranges import narrowing as range_narrowing
from converters.quantization.ranges.choice import by_role
from converters.tflite_graph.activations import Image, logits
from converters.tflite_graph.error_metrics import stored_in_int8
from converters.tflite_graph.segments import logit_names
from converters.tflite_graph.subgraph import SubgraphExtractor, cut_behind
from converters.tflite_graph.tensor_probe import TensorProbe, probe_tensors
from edge_effnet.tflite.reader import Structure

# One step of an end: a fifth wider. Within a step the error hardly changes.
_STEP = 2**0.25
_WIDEST = 2.0
# Where the answer moves by less than this share of its energy there is nothing to gain: all
# tensors together come to some hundreds of it.
_NEGLIGIBLE_SHARE = 4e-5
SEARCH_IMAGES = 16
# An end that is so small a part of the range is worth no trial: it sets no resolution.
_SMALL_END = 0.1


def apply(candidate: Candidate, context: Context) -> Candidate:
    """Step: each range is widened where the answer gains by it."""
    ranges = {name: tensor.range for name, tensor in searched(context).items()}
    start = range_narrowing.apply(by_role(candidate, context), context).ranges
    return replace(candidate, ranges={**start, **ranges}, ranges_by="searched")


def searched(context: Context) -> dict[str, SearchedRange]:
    """The searched range of each tensor, and what the tensor does to the answer."""

    def search() -> dict[str, SearchedRange]:
        model, structure = context.model, context.structure
        pinned = pinned_ranges(model, structure, context.calibration)
        return search_ranges(
            model,
            structure,
            range_narrowing.apply(by_role(context.start("int8"), context), context).ranges,
            frozenset((*pinned, *logit_names(structure))),
            context.images(SEARCH_IMAGES),
            workers=context.workers,
        )

    return context.cached("searched", search)


@dataclass(frozen=True)
class SearchedRange:
    """One tensor's range and what storing the tensor in 8 bits does to the answer.

    Attributes:
        share_before, share: ``typical_share`` of the answer's change, with the range the search
            began with and with the one it found.
    """

    range: tuple[float, float]
    share_before: float
    share: float


def search_ranges(
    model: bytes,
    structure: Structure,
    ranges: Mapping[str, tuple[float, float]],
    pinned: frozenset[str],
    images: Sequence[Image],
    *,
    workers: int,
) -> dict[str, SearchedRange]:
    """Find the range of each tensor that leaves the network's logits nearest to float's.

    Args:
        ranges: where to begin.
        pinned: tensors whose range is known and stays.
        images: decide; the first 16 are used.
    """
    indices = {tensor.name: index for index, tensor in enumerate(structure.tensors)}
    answer = indices[logit_names(structure)[0]]
    extractor = SubgraphExtractor(model, structure, answer)
    evaluation = list(images[:SEARCH_IMAGES])
    reference = logits(model, structure, evaluation, workers=workers)
    todo = [
        operator.outputs[0]
        for operator in structure.operators
        # What a sigmoid answers has a fixed scale in integers; logits are never clipped.
        if operator.name not in {"LOGISTIC", "SOFTMAX"}
        and (name := structure.tensors[operator.outputs[0]].name) in ranges
        and name not in pinned
        and cut_behind(structure, operator.outputs[0], answer).rear
    ]

    def reducer(index: int, probe: TensorProbe) -> tuple[str, SearchedRange]:
        name = structure.tensors[index].name
        return name, _widen(probe, ranges[name])

    return dict(probe_tensors(extractor, todo, evaluation, reference, reducer, workers=workers))


def _widen(tensor: TensorProbe, start: tuple[float, float]) -> SearchedRange:
    """Move the upper end outwards, then the lower, while the answer comes nearer to float's."""
    low, high = start

    def share(down: float, up: float) -> float:
        return tensor.typical_share(lambda values: stored_in_int8(values, low * down, high * up))

    before = best = share(1, 1)
    down = up = 1.0
    if before > _NEGLIGIBLE_SHARE:
        if high > _SMALL_END * (high - low):
            up, best = _widen_end(lambda factor: share(down, factor), best)
        if -low > _SMALL_END * (high - low):
            down, best = _widen_end(lambda factor: share(factor, up), best)
    return SearchedRange((low * down, high * up), before, best)


def _widen_end(share: Callable[[float], float], best: float) -> tuple[float, float]:
    """The factor with the least share, and that share, found by increasing the factor from
    1 while the error falls."""
    chosen = 1.0
    while chosen * _STEP < _WIDEST and (value := share(chosen * _STEP)) < best:
        chosen, best = chosen * _STEP, value
    return chosen, best
