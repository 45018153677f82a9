"""The ladder: ways to make a model small, the fastest and smallest-effort first.

A new rung is a row; ``converters.accuracy.candidates`` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from converters.quantization.recipes import RECIPES, QuantRecipe

LADDER_VERSION = 9  # part of every cached result: raise it when a rung's making changes

RangeChoice = Literal["plain", "roles", "whole", "searched"]


@dataclass(frozen=True)
class Rung:
    """One way to make a model small.

    Attributes:
        recipe: name of its row in ``RECIPES``.
        ranges: how activation ranges are chosen; without meaning for float activations. Searched
            ones, and for numbers whole ones, are taken where they bring the answers nearer to
            float's than those by role.
        bias: whether biases, and the gain of the answer, are corrected afterwards, where that
            brings the answers nearer to float's.
        recovery: whether the network is then trained to answer as float does.
        steps: of that training, where the user says how many.
        labelled: whether the calibration pictures' labels teach too.
        left_float: how many of the tensors that cost the answer most are never rounded.
        summary: what it does, for the table.
    """

    name: str
    recipe: str
    ranges: RangeChoice = "roles"
    bias: bool = False
    recovery: bool = False
    steps: int | None = None
    labelled: bool = False
    left_float: int = 0
    summary: str = ""

    @property
    def quantization(self) -> QuantRecipe:
        return RECIPES[self.recipe]

    @property
    def size_only(self) -> bool:
        """Whether it computes in float: smaller, but no faster."""
        return self.quantization.compute == "float"


LADDER: tuple[Rung, ...] = (
    Rung("plain", "int8", "plain", summary="mean of extremes for every tensor"),
    Rung("ranges", "int8", "roles", summary="ranges by the role of a tensor"),
    Rung("bias", "int8", bias=True, summary="the same with corrected biases: --int8 by itself"),
    Rung(
        "searched",
        "int8",
        "searched",
        bias=True,
        summary="ranges widened where the answers gain by it, corrected biases",
    ),
    Rung(
        "recovered",
        "int8",
        "searched",
        bias=True,
        recovery=True,
        summary="searched, then trained to answer as float does",
    ),
    Rung("weights8", "weights8", summary="size only: int8 weights, float compute"),
    Rung("float16", "float16", summary="size only: half the size, float compute"),
)


def ladder(
    *,
    allow_float: int = 0,
    edge_tpu: bool = False,
    recovery: bool = True,
    steps: int | None = None,
    labelled: bool = False,
) -> tuple[Rung, ...]:
    """The rungs in order, with a partly float one behind those that only choose and correct.

    Args:
        allow_float: how many tensors it may leave in float; 0 leaves the rung out.
        edge_tpu: full integer alone, in the Edge TPU's recipe.
        recovery: whether it can be trained here.
        steps, labelled: how; see ``Rung``.
    """
    rungs = tuple(
        replace(rung, steps=steps, labelled=labelled) if rung.recovery else rung
        for rung in LADDER
        if recovery or not rung.recovery
    )
    if edge_tpu:
        return tuple(replace(rung, recipe="edgetpu") for rung in rungs if rung.recipe == "int8")
    if not allow_float:
        return rungs
    mixed = Rung(
        f"float{allow_float}",
        "int8",
        "searched",
        bias=True,
        left_float=allow_float,
        summary=f"corrected biases, the {allow_float} costliest tensors in float",
    )
    behind = next(i for i, rung in enumerate(rungs) if rung.recovery or rung.size_only)
    return (*rungs[:behind], mixed, *rungs[behind:])


def rung_of(recipe: QuantRecipe) -> Rung:
    """How a recipe is made where no limit asks for more."""
    return Rung(recipe.name, recipe.name, bias=recipe.full_integer, summary=recipe.summary)
