"""Leaves the first operators of a network in float where 8 bits ruin what the rest makes of them.

A network that was trained on pixels it rescaled twice hardly sees them: channels vary by a
hundredth beside borders of ±10. No range serves both. Rounding grows with every operator that
reads such tensors, until enough channels have been mixed; from there on integers do.

The whole network's answers decide, on calibration images: those of an ordinary one are near
enough to float's, and nothing is tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from converters.calibration.ranges import Ranges
from converters.quantization import quantizer
from converters.quantization.candidates import Candidate, Context, Step, run_steps
from converters.quantization.ranges import choice as range_choice
from converters.tflite_graph.segments import segments
from edge_effnet.tflite.reader import Operator, Structure

# Of the answer's energy. An ordinary network loses two to four hundredths.
_ORDINARY_ERROR = 0.05
# What the first operators must save to be worth their time.
_LEAST_GAIN = 3.0
# What it may add to the time, as a share of full integer's, by the estimates below; and how many
# of the operators it may be, since each has a fixed cost too, which the estimates leave out: a
# network of a few small layers took 1.9 of full integer's time.
_MOST_TIME, _MOST_OPERATORS = 0.185, 0.25
# Estimates, since a measured time would make another file of the same model each time. In units
# of one multiply-add's extra time in float; measured on x86-64 with VNNI on EfficientNet. A
# sigmoid, which is a table in integers and an exponential in float, is most of what a swish costs.
_INTEGER_MAC, _INTEGER_ELEMENT, _FLOAT_EXPONENTIAL = 2.0, 2.0, 26.0
_EXPONENTIALS = frozenset({"LOGISTIC", "TANH", "GELU", "ELU"})
# An error so near to the least is as good, with fewer operators.
_NEAR_LEAST = 1.05


@dataclass(frozen=True)
class LeaveFrontFloat:
    """Step: a full-integer model is made again with its first operators in float, where that
    brings its answers much nearer to float's.

    Attributes:
        correct: steps behind the quantization.
    """

    correct: tuple[Step, ...]

    def __call__(self, candidate: Candidate, context: Context) -> Candidate:
        front = find_front(candidate, context)
        if not front:
            return candidate
        start = replace(
            candidate,
            model=context.model,
            left_float=candidate.left_float.union(front),
            ranges=_narrower_behind(front, candidate, context),
        )
        return run_steps((quantizer.apply, *self.correct), start, context)


def find_front(candidate: Candidate, context: Context) -> tuple[str, ...]:
    """What the operators that are to be left in float make, in order; empty for most networks.

    Args:
        candidate: full integer.
    """
    return context.cached(("front", candidate), lambda: _find_front(candidate, context))


def _find_front(candidate: Candidate, context: Context) -> tuple[str, ...]:
    error = context.error(candidate)
    if error < _ORDINARY_ERROR:
        return ()
    errors = {}
    for front in _fronts(context.structure):
        left = candidate.left_float.union(front)
        start = replace(candidate, model=context.model, left_float=left)
        errors[front] = context.error(quantizer.apply(start, context))
    least = min(errors.values(), default=error)
    if least * _LEAST_GAIN > error:
        return ()
    return next(front for front, found in errors.items() if found <= _NEAR_LEAST * least)


def _fronts(structure: Structure) -> Iterator[tuple[str, ...]]:
    """The outputs of the first operators, up to each point where one tensor is live."""
    operators, tensors = structure.operators, structure.tensors
    made = [tensors[operator.outputs[0]].elements for operator in operators]
    macs = [_macs(operator, structure) for operator in operators]
    whole = _INTEGER_MAC * sum(macs) + _INTEGER_ELEMENT * sum(made)
    more = [
        count + _FLOAT_EXPONENTIAL * elements * (operator.name in _EXPONENTIALS)
        for operator, count, elements in zip(operators, macs, made, strict=True)
    ]
    for segment in segments(structure, []):
        count = segment.operators[-1] + 1
        if sum(more[:count]) > _MOST_TIME * whole or count > _MOST_OPERATORS * len(operators):
            return
        yield tuple(tensors[operator.outputs[0]].name for operator in operators[:count])


def _macs(operator: Operator, structure: Structure) -> int:
    """Multiply-adds of a layer; 0 of other operators."""
    if operator.name not in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}:
        return 0
    kernel = structure.tensors[operator.inputs[1]]
    made = structure.tensors[operator.outputs[0]].elements
    channels = kernel.shape[3] if operator.name == "DEPTHWISE_CONV_2D" else kernel.shape[0]
    return made * kernel.elements // max(channels, 1)


def _narrower_behind(front: tuple[str, ...], candidate: Candidate, context: Context) -> Ranges:
    """The candidate's ranges, without the usual margin for as many operators behind the front
    as are in it: what is largest there are borders, which are the same in every image."""
    plain = range_choice.plain(candidate, context).ranges
    names = [context.structure.tensors[op.outputs[0]].name for op in context.structure.operators]
    behind = names[len(front) : 2 * len(front)]
    return {**candidate.ranges, **{name: plain[name] for name in behind if name in plain}}
