"""The ladder: ways to make a model small, the fastest and smallest-effort first, and how a
rung becomes a file.

A new rung is a row; recovery training, say, would be one with a method of its own, placed
behind "bias" and before the rungs that give up integer speed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from converters.bias import correct_bias
from converters.calibration import Calibration
from converters.flatfile import Interface
from converters.observe import Picture
from converters.quantize import quantize
from converters.ranges import (
    PLAIN_METHODS,
    ROLE_METHODS,
    Ranges,
    Statistics,
    choose_ranges,
    collect_statistics,
)
from converters.recipes import RECIPES, QuantRecipe
from converters.search import Search, search_ranges
from edge_effnet.tflite_file import Structure

LADDER_VERSION = 1  # part of every cached result: raise it when a rung's making changes

RangeChoice = Literal["plain", "roles", "searched"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rung:
    """One way to make a model small.

    Attributes:
        recipe: name of its row in ``RECIPES``.
        ranges: how activation ranges are chosen; without meaning for float activations.
        bias: whether biases are corrected afterwards.
        summary: what it does, for the table.
    """

    name: str
    recipe: str
    ranges: RangeChoice = "roles"
    bias: bool = False
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
    Rung("searched", "int8", "searched", summary="ranges by the network's own answers"),
    Rung("bias", "int8", "searched", bias=True, summary="searched ranges, corrected biases"),
    # Recovery training belongs here: still full integer.
    Rung("weights8", "weights8", summary="size only: int8 weights, float compute"),
    Rung("float16", "float16", summary="size only: half the size, float compute"),
)

_SEARCH_PICTURES = 48
_BIAS_PICTURES = 32


def _silent(_done: int, _all: int) -> None:
    pass


@dataclass
class Workshop:
    """Makes rungs; what several need (statistics, searched ranges) is made once.

    Attributes:
        model, structure: the float model.
        workers: cores to use.
    """

    model: bytes
    structure: Structure
    calibration: Calibration
    interface: Interface
    workers: int
    _statistics: Statistics | None = field(default=None, repr=False)
    _search: Search | None = field(default=None, repr=False)
    _pictures: list[Picture] = field(default_factory=list, repr=False)

    def make(self, rung: Rung, progress: Progress = _silent) -> tuple[bytes, float]:
        """A rung's model and the seconds that took.

        Args:
            progress: told (steps done, steps in all) of each part.

        Raises:
            ModelError, DataError: see ``quantize`` and ``collect_statistics``.
        """
        began = time.perf_counter()
        recipe = rung.quantization
        ranges = self._ranges(rung, progress) if recipe.calibrated else {}
        small = quantize(self.model, recipe, ranges, self.interface)
        if rung.bias:
            small = correct_bias(
                self.model,
                small,
                self.pictures(_BIAS_PICTURES),
                workers=self.workers,
                progress=progress,
            )
        return small, time.perf_counter() - began

    def pictures(self, count: int) -> list[Picture]:
        """The first calibration pictures, as network inputs."""
        if len(self._pictures) < min(count, len(self.calibration)):
            self._pictures = list(islice(self.calibration.inputs(), max(count, _SEARCH_PICTURES)))
        return self._pictures[:count]

    def statistics(self, progress: Progress = _silent) -> Statistics:
        """Of the float model on all calibration pictures."""
        if self._statistics is None:
            done = 0

            def step() -> None:
                nonlocal done
                done += 1
                progress(done, len(self.calibration))

            self._statistics = collect_statistics(
                self.model, self.structure, self.calibration, workers=self.workers, progress=step
            )
        return self._statistics

    def _ranges(self, rung: Rung, progress: Progress) -> Ranges:
        statistics = self.statistics(progress)
        if rung.ranges == "searched":
            if self._search is None:
                self._search = search_ranges(
                    self.model,
                    self.structure,
                    statistics,
                    self.calibration,
                    rung.quantization,
                    self.pictures(_SEARCH_PICTURES),
                    workers=self.workers,
                    progress=progress,
                )
            return self._search.ranges
        methods = PLAIN_METHODS if rung.ranges == "plain" else ROLE_METHODS
        return choose_ranges(statistics, self.structure, self.calibration, self.model, methods)
