"""The table of strategies: sequences of quantization steps, from what ``--int8`` does by itself on.

A new correction is a step in a module of its own and a row here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from converters.quantization import bias_correction, quantizer, weight_rounding
from converters.quantization.answer import logit_range, output_scale
from converters.quantization.candidates import (
    Candidate,
    Context,
    Step,
    best_of,
    each_step,
    keep_better,
    run_steps,
)
from converters.quantization.float_front import LeaveFrontFloat, find_front
from converters.quantization.mixed_precision import LeaveFloat
from converters.quantization.qat.step import Train
from converters.quantization.ranges import choice as range_choice
from converters.quantization.ranges import narrowing as range_narrowing
from converters.quantization.ranges import search
from converters.quantization.recipes import RECIPES, QuantRecipe

STRATEGIES_VERSION = 17  # part of every stored trial: raise it when a step changes


@dataclass(frozen=True)
class Strategy:
    """One sequence of quantization steps.

    Attributes:
        steps: taken in turn, from the float model on.
        recipe: name of its row in ``RECIPES``.
        summary: what it does, for the table.
    """

    name: str
    steps: tuple[Step, ...]
    recipe: str = "int8"
    summary: str = ""

    def make(self, context: Context) -> Candidate:
        """Take a model through the steps.

        Raises:
            ModelError, DataError: see ``quantize`` and ``collect_statistics``.
        """
        return run_steps(self.steps, context.start(self.recipe), context)

    @property
    def quantization(self) -> QuantRecipe:
        return RECIPES[self.recipe]

    @property
    def size_only(self) -> bool:
        """Whether it computes in float: smaller, but no faster."""
        return self.quantization.compute == "float"

    @property
    def training(self) -> Train | None:
        """Its step that trains."""
        return next((step for step in each_step(self.steps) if isinstance(step, Train)), None)

    @property
    def left_float(self) -> int:
        """How many of the costliest tensors are computed in float."""
        return sum(step.count for step in each_step(self.steps) if isinstance(step, LeaveFloat))

    def to_json(self) -> dict[str, Any]:
        """For reports and model cards."""
        steps, training = list(each_step(self.steps)), self.training
        ranges = [name for step, name in _RANGES.items() if step in steps]
        return {
            "name": self.name,
            "recipe": self.recipe,
            "ranges": ranges[-1] if ranges else None,
            "bias": bias_correction.apply in steps,
            "recovery": training is not None,
            "steps": training.steps if training else None,
            "labelled": training is not None and training.labelled,
            "left_float": self.left_float,
            "float_front": any(isinstance(step, LeaveFrontFloat) for step in steps),
            "summary": self.summary,
        }


# The later are only taken after the earlier.
_RANGES: dict[Step, str] = {
    range_choice.by_role: "roles",
    range_choice.whole: "whole",
    search.apply: "searched",
}
_CORRECT_MEANS = keep_better(bias_correction.apply, output_scale.apply)
# Most networks gain nothing by the other rounding; they are not corrected twice.
_CORRECT = best_of(
    (_CORRECT_MEANS,), (keep_better(weight_rounding.apply, most_of_error=0.75), _CORRECT_MEANS)
)
_BY_ROLE = (range_choice.by_role, range_narrowing.apply, logit_range.apply)
_CORRECTED = (*_BY_ROLE, quantizer.apply, _CORRECT)
_FRONT = LeaveFrontFloat((_CORRECT,))
_SEARCHED = (
    *_CORRECTED,
    keep_better(search.apply, logit_range.apply, quantizer.apply, _CORRECT),
)


def _trained(training: Train) -> tuple[Step, ...]:
    return *_SEARCHED, keep_better(training), _FRONT


STRATEGIES: tuple[Strategy, ...] = (
    Strategy(
        "bias",
        (*_CORRECTED, _FRONT),
        summary="ranges by the role of a tensor, corrected biases: what --int8 by itself makes",
    ),
    Strategy(
        "searched",
        (*_SEARCHED, _FRONT),
        summary="the same, ranges widened where the answers gain by it",
    ),
    Strategy(
        "qat",
        _trained(Train()),
        summary="searched, then quantization-aware training",
    ),
)

FALLBACKS: dict[str, Strategy] = {
    row.name: row
    for row in (
        Strategy(
            "float16",
            (quantizer.apply,),
            "float16",
            summary="size only: half the size, float compute",
        ),
        Strategy(
            "weights8",
            (quantizer.apply,),
            "weights8",
            summary="size only: int8 weights, float compute",
        ),
    )
}
"""What may be written where no int8 file fits, and only if asked for."""


def applicable_strategies(
    *,
    allow_float: int = 0,
    edge_tpu: bool = False,
    full_integer: bool = False,
    training: Train | None,
) -> tuple[Strategy, ...]:
    """The strategies in order, a partly float one in front of the one that trains.

    Args:
        allow_float: how many tensors it may leave in float; 0 leaves it out.
        edge_tpu: full integer alone, in the Edge TPU's recipe.
        full_integer: full integer alone.
        training: how the network is trained; None where it cannot be.
    """
    rows = tuple(
        replace(row, steps=_trained(training)) if row.training and training else row
        for row in STRATEGIES
        if training or not row.training
    )
    if edge_tpu or full_integer:
        recipe = "edgetpu" if edge_tpu else "int8"
        return tuple(replace(row, recipe=recipe, steps=_without_front(row.steps)) for row in rows)
    if not allow_float:
        return rows
    mixed = Strategy(
        f"float{allow_float}",
        (LeaveFloat(allow_float), *_SEARCHED, _FRONT),
        summary=f"corrected biases, the {allow_float} costliest tensors in float",
    )
    behind = next((i for i, row in enumerate(rows) if row.training), len(rows))
    return (*rows[:behind], mixed, *rows[behind:])


def _without_front(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(step for step in steps if not isinstance(step, LeaveFrontFloat))


def default_strategy(
    recipe: QuantRecipe, *, values: bool = False, full_integer: bool = False
) -> Strategy:
    """How a recipe is made where no limit asks for more.

    Args:
        values: whether the network answers with numbers. They may gain by ranges that cut nothing
            off.
        full_integer: never leave the first operators in float.
    """
    correct = (_CORRECT,) if recipe.full_integer else ()
    steps: tuple[Step, ...] = (quantizer.apply, *correct)
    if recipe.calibrated:
        if values:
            steps = (range_choice.by_role, *steps, keep_better(range_choice.whole, *steps))
        else:
            steps = (*_BY_ROLE, *steps)
        if recipe.full_integer and not recipe.edge_tpu and not full_integer:
            steps = (*steps, _FRONT)
    return Strategy(recipe.name, steps, recipe.name, recipe.summary)


def front_of(context: Context) -> tuple[str, ...]:
    """What the first operators make that 8 bits are too few for: a network's answers come much
    nearer to float's with those in float. Empty for most networks."""
    return find_front(run_steps(_CORRECTED, context.start("int8"), context), context)


def counterpart(
    strategy: Strategy,
    candidate: Candidate,
    context: Context,
    *,
    values: bool,
    full_integer: bool,
) -> Candidate | None:
    """The default of an int8 recipe with its first operators in float, or, where those of the
    candidate are, in integers; None where that is the same.

    Args:
        values: see ``default_strategy``.
        full_integer: whether the candidate was to have none in float.
    """
    recipe = strategy.quantization
    leaves = any(isinstance(step, LeaveFrontFloat) for step in each_step(strategy.steps))
    if not recipe.full_integer or recipe.edge_tpu or leaves == full_integer:
        return None
    other = default_strategy(recipe, values=values, full_integer=not full_integer).make(context)
    return other if other.left_float != candidate.left_float else None
