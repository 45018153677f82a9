"""Narrows the ranges of projections and sums whose few largest values cost all others most.

What no function follows, a projection or a sum, may hold values that occur once in ten thousand.
Cutting those off a little costs less than the coarser steps that they impose. Such tensors are
chosen by the squared error that eight bits leave, clipping included. In networks of ReLUs, as
MobileNets are, that is right; in networks of swishes the measure misleads, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.calibration.ranges import Ranges, pinned_ranges, tensor_roles
from converters.quantization.candidates import Candidate, Context
from converters.tflite_graph.activations import Image, collect_activations
from converters.tflite_graph.error_metrics import stored_in_int8
from converters.tflite_graph.segments import logit_names
from edge_effnet.tflite.reader import Structure

_IMAGES = 32
_SAMPLED_VALUES = 16_384  # per tensor and image
_FACTORS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
# A narrower range must leave less than this share of the error: other images hold larger values.
_MOST_OF_ERROR = 0.75
# Of two that are as good as this, the wider one.
_NEARLY = 1.1


def apply(candidate: Candidate, context: Context) -> Candidate:
    """Step: ranges of projections and sums are narrowed; not by generated images, which lack
    what photos show, and not in a network of swishes."""
    generated = context.calibration.kind == "generated"
    swishes = "swish" in tensor_roles(context.structure).values()
    if generated or swishes or not candidate.recipe.full_integer:
        return candidate

    def narrow() -> Ranges:
        pinned = pinned_ranges(context.model, context.structure, context.calibration)
        fixed = {*pinned, *logit_names(context.structure)}
        return narrowed(
            context.model,
            context.structure,
            {name: ends for name, ends in candidate.ranges.items() if name not in fixed},
            context.images(_IMAGES),
            workers=context.workers,
        )

    key = "narrowed", tuple(sorted(candidate.ranges.items()))
    return replace(candidate, ranges={**candidate.ranges, **context.cached(key, narrow)})


def narrowed(
    model: bytes,
    structure: Structure,
    ranges: Mapping[str, tuple[float, float]],
    images: Sequence[Image],
    *,
    workers: int,
) -> Ranges:
    """The ranges of those tensors that gain by a narrower one.

    Args:
        model, structure: the float model.
        ranges: of those that may be narrowed, in real units.
    """
    tensors = _projections(structure, ranges)
    ends = [ranges[structure.tensors[index].name] for index in tensors]

    def reducer(_: int, place: int, values: NDArray[Any]) -> list[float]:
        return _errors(values, *ends[place])

    if not tensors:
        return {}
    found = collect_activations(model, tensors, images, reducer, workers=workers)
    result = {}
    for index, (low, high), errors in zip(tensors, ends, np.mean(found, axis=0), strict=True):
        least = errors.min()
        if least < _MOST_OF_ERROR * errors[0]:
            factor = next(
                f for f, error in zip(_FACTORS, errors, strict=True) if error <= _NEARLY * least
            )
            result[structure.tensors[index].name] = factor * low, factor * high
    return result


def _projections(structure: Structure, ranges: Mapping[str, tuple[float, float]]) -> list[int]:
    """Convolutions and sums that hold negative values too, so that no ReLU is in them."""
    roles = tensor_roles(structure)
    found = []
    for operator in structure.operators:
        name = structure.tensors[operator.outputs[0]].name
        if (
            operator.name in {"CONV_2D", "ADD"}
            and roles.get(name) == "linear"
            and name in ranges
            and ranges[name][0] < 0
        ):
            found.append(operator.outputs[0])
    return found


def _errors(values: NDArray[Any], low: float, high: float) -> list[float]:
    """Mean squared error of a sample of the values for each factor."""
    rows = values.reshape(-1, values.shape[-1])
    sample = rows[:: max(1, values.size // _SAMPLED_VALUES)]
    return [
        float(((stored_in_int8(sample, low * factor, high * factor) - sample) ** 2).mean())
        for factor in _FACTORS
    ]
