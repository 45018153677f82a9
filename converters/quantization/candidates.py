"""A model on its way through the steps of a strategy, and what the steps work from.

A step is a function of a candidate and the context that returns another candidate; it lives in
the module of what it does. ``keep_better`` and ``best_of`` undo steps that do not help.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from converters.calibration.ranges import Statistics, collect_statistics
from converters.calibration.representative import Calibration
from converters.quantization.answer.float_answer import FloatAnswer, find_float_answer
from converters.quantization.operators.in_float import without_integer_kernel
from converters.quantization.qat.config import QatRun
from converters.quantization.recipes import RECIPES, QuantRecipe
from converters.tflite_graph.activations import Image, logits
from converters.tflite_graph.error_metrics import typical_share
from edge_effnet.arrays import Float32Array
from edge_effnet.system.memory import give_back_freed
from edge_effnet.tflite.editor import Interface
from edge_effnet.tflite.reader import Structure

_CORRECTION_IMAGES, _EVALUATION_IMAGES = 32, 64
# With fewer left over, all of them both correct and evaluate.
_FEW_EVALUATION_IMAGES = 8

_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model between two steps.

    Attributes:
        model: float until a step quantizes it.
        ranges: of the activations, in real units, by tensor name.
        ranges_by: how they were chosen.
        left_float: tensors whose operators compute in float.
        float_answer: those of them that make the answer; None where it is integer.
    """

    model: bytes
    recipe: QuantRecipe
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ranges_by: str = ""
    left_float: frozenset[str] = frozenset()
    float_answer: FloatAnswer | None = None


@dataclass(frozen=True, eq=False)
class Context:
    """What the steps work from. What they compute is kept, by what it depends on.

    Attributes:
        model, structure: the float model.
        interface: type of a full-integer file's input and output.
        workers: cores to use.
        qat: where and how quantization-aware training runs; None leaves its step out.
        full_integer: whether the answer of an int8 file must be integer too.
        teachable: whether the answer of the Edge TPU's file computes in float too.
    """

    model: bytes
    structure: Structure
    calibration: Calibration
    interface: Interface
    workers: int
    qat: QatRun | None = None
    full_integer: bool = False
    teachable: bool = False
    _cache: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def cached(self, key: Hashable, compute: Callable[[], _Result]) -> _Result:
        """The result stored under this key; computed at the first call."""
        if key not in self._cache:
            self._cache[key] = compute()
        result: _Result = self._cache[key]
        return result

    def start(self, recipe: str) -> Candidate:
        """The float model, to be quantized by a recipe. What has no integer kernel stays float."""
        row = RECIPES[recipe]
        asked = self.teachable if row.edge_tpu else row.float_answer and not self.full_integer
        row = replace(row, float_answer=asked)

        def begin() -> Candidate:
            left = frozenset(self.without_kernel) if row.full_integer else frozenset[str]()
            answer = find_float_answer(self.model, self.structure) if row.float_answer else None
            left |= answer.tensors if answer else frozenset()
            return Candidate(self.model, row, left_float=left, float_answer=answer)

        return self.cached(("start", recipe), begin)

    @property
    def without_kernel(self) -> Mapping[str, str]:
        """Operators that no int8 kernel computes: their names, by what they make."""
        return self.cached(
            "without kernel", lambda: without_integer_kernel(self.model, self.structure)
        )

    def images(self, count: int) -> list[Image]:
        """The first calibration images, as network inputs."""
        return self.cached(
            ("images", count), lambda: list(islice(self.calibration.inputs(), count))
        )

    @property
    def correction_images(self) -> list[Image]:
        """Those that biases and the output's scale are corrected by."""
        return self.images(_CORRECTION_IMAGES)

    @property
    def evaluation_images(self) -> list[Image]:
        """Those that candidates are compared on: others than correct, where there are enough.
        Training has seen them all."""
        images = self.images(_CORRECTION_IMAGES + _EVALUATION_IMAGES)
        enough = len(self.calibration) >= _CORRECTION_IMAGES + _FEW_EVALUATION_IMAGES
        return images[_CORRECTION_IMAGES:] if enough else images

    def logits(self, model: bytes) -> Float32Array:
        """A model's answers to the evaluation images; see ``activations.logits``."""
        images = self.evaluation_images
        key = "logits", hashlib.sha256(model).digest()  # the model itself would be kept with it
        return self.cached(key, lambda: logits(model, self.structure, images, workers=self.workers))

    def error(self, candidate: Candidate) -> float:
        """How far a candidate's answers are from float's, by ``typical_share``."""
        return typical_share(self.logits(self.model), self.logits(candidate.model))

    def statistics(self, progress: Callable[[int], None] = lambda _done: None) -> Statistics:
        """Of the float model on all calibration images.

        Args:
            progress: told the images done.

        Raises:
            DataError: see ``collect_statistics``.
        """
        return self.cached("statistics", lambda: self._collect(progress))

    def _collect(self, progress: Callable[[int], None]) -> Statistics:
        done = iter(range(1, len(self.calibration) + 1))
        statistics = collect_statistics(
            self.model,
            self.structure,
            self.calibration,
            workers=self.workers,
            progress=lambda: progress(next(done)),
        )
        give_back_freed()
        return statistics


Step = Callable[[Candidate, Context], Candidate]


def run_steps(steps: tuple[Step, ...], candidate: Candidate, context: Context) -> Candidate:
    """Take a candidate through steps; strategies that begin alike share what they begin with."""
    for step in steps:
        candidate = context.cached((step, candidate), partial(step, candidate, context))
        give_back_freed()
    return candidate


@dataclass(frozen=True)
class KeepBetter:
    """The step of ``keep_better``."""

    steps: tuple[Step, ...]
    most_of_error: float

    def __call__(self, candidate: Candidate, context: Context) -> Candidate:
        changed = run_steps(self.steps, candidate, context)
        allowed = self.most_of_error * context.error(candidate)
        return changed if context.error(changed) < allowed else candidate


def keep_better(*steps: Step, most_of_error: float = 1.0) -> Step:
    """A step that takes others, and keeps the result only if it lowers the output error against
    float.

    Args:
        most_of_error: to less than this share of what it is without them.
    """
    return KeepBetter(steps, most_of_error)


@dataclass(frozen=True)
class BestOf:
    """The step of ``best_of``."""

    branches: tuple[tuple[Step, ...], ...]

    def __call__(self, candidate: Candidate, context: Context) -> Candidate:
        made = [run_steps(steps, candidate, context) for steps in self.branches]
        return min(made, key=context.error)  # the first of equals


def best_of(*branches: tuple[Step, ...]) -> Step:
    """A step that takes each of several ways, and keeps the result of least output error."""
    return BestOf(branches)


def each_step(steps: tuple[Step, ...]) -> Iterator[Step]:
    """The steps, with those inside of ``keep_better`` and ``best_of`` in their place."""
    for step in steps:
        if isinstance(step, KeepBetter):
            yield from each_step(step.steps)
        elif isinstance(step, BestOf):
            for branch in step.branches:
                yield from each_step(branch)
        else:
            yield step
