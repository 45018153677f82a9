"""Where rungs of the ladder become files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from converters.accuracy.strategies import Rung
from converters.calibration.ranges import (
    PLAIN_METHODS,
    ROLE_METHODS,
    WHOLE_METHODS,
    Methods,
    Ranges,
    Statistics,
    choose_ranges,
    collect_statistics,
    pinned_ranges,
)
from converters.calibration.representative import Calibration
from converters.quantization.bias_correction import correct_bias
from converters.quantization.mixed_precision import kept_in_float
from converters.quantization.output_scale import correct_gain
from converters.quantization.quantizer import quantize
from converters.quantization.range_search import SEARCH_PICTURES, Found, logits, search_ranges
from converters.tflite_graph.activations import Picture
from converters.tflite_graph.error_metrics import typical_share
from converters.tflite_graph.topology import logit_names
from edge_effnet.tflite.editor import Interface
from edge_effnet.tflite.reader import Structure

if TYPE_CHECKING:
    from converters.quantization.qat.step import Recover

Progress = Callable[[int, int], None]

_BIAS_PICTURES, _JUDGES = 32, 32
# With fewer left over, all pictures both correct and judge.
_FEW_JUDGES = 8
_METHODS: dict[str, Methods] = {
    "plain": PLAIN_METHODS,
    "roles": ROLE_METHODS,
    "whole": WHOLE_METHODS,
}


def _silent(_done: int, _all: int) -> None:
    pass


@dataclass
class Workshop:
    """Makes rungs; what several need (statistics, searched ranges) is made once.

    Attributes:
        model, structure: the float model.
        workers: cores to use.
        recover: trains the network; needed by rungs with ``recovery``. Handed in because this
            module needs no TensorFlow.
    """

    model: bytes
    structure: Structure
    calibration: Calibration
    interface: Interface
    workers: int
    recover: Recover | None = None
    _statistics: Statistics | None = field(default=None, repr=False)
    _found: dict[str, Found] | None = field(default=None, repr=False)
    _pictures: list[Picture] = field(default_factory=list, repr=False)
    _bases: dict[tuple[str, str, bool, int], bytes] = field(default_factory=dict, repr=False)

    def make(self, rung: Rung, progress: Progress = _silent) -> tuple[bytes, float]:
        """A rung's model and the seconds that took.

        Args:
            progress: told (steps done, steps in all) of each part.

        Raises:
            ModelError, DataError: see ``quantize`` and ``collect_statistics``.
        """
        began = time.perf_counter()
        small, ranges = self._start(rung, progress)
        if rung.recovery and self.recover is not None:
            small = self._recovered(self.recover, small, ranges, rung)
        return small, time.perf_counter() - began

    def nearest(self, rungs: Sequence[Rung]) -> tuple[Rung, bytes]:
        """Of several rungs the one whose answers are nearest to float's, and its model."""
        best, *others = rungs
        small, _ = self.make(best)
        for rung in others:
            made, _ = self.make(rung)
            if self._nearer(small, made) is made:
                best, small = rung, made
        return best, small

    def _start(self, rung: Rung, progress: Progress) -> tuple[bytes, Ranges]:
        """What recovery begins with, and its ranges.

        Searched ranges only where their answers are nearer to float's than those by role.
        """
        ranges = self._ranges(rung, progress) if rung.quantization.calibrated else {}
        small = self._base(rung, ranges, progress)
        if rung.ranges != "searched":
            return small, ranges
        plainer, plainer_ranges = self._start(replace(rung, ranges="roles"), progress)
        nearer = self._nearer(plainer, small)
        return nearer, ranges if nearer is small else plainer_ranges

    def _base(self, rung: Rung, ranges: Ranges, progress: Progress) -> bytes:
        """What a rung is before recovery; several have the same."""
        key = rung.recipe, rung.ranges, rung.bias, rung.left_float
        if key not in self._bases:
            left = self._left_float(rung)
            small = quantize(self.model, rung.quantization, ranges, self.interface, left_float=left)
            if rung.bias:
                small = self._nearer(small, self._corrected(small, progress))
            self._bases[key] = small
        return self._bases[key]

    def _recovered(self, recover: Recover, small: bytes, ranges: Ranges, rung: Rung) -> bytes:
        """The trained model, or ``small`` where training did not bring it nearer to float."""
        trained, moved = recover(self.model, small, ranges, self.calibration, rung)
        return self._nearer(small, quantize(trained, rung.quantization, moved, self.interface))

    def _corrected(self, small: bytes, progress: Progress) -> bytes:
        pictures = self.pictures(_BIAS_PICTURES)
        small = correct_bias(self.model, small, pictures, workers=self.workers, progress=progress)
        return correct_gain(self.model, small, self.structure, pictures, workers=self.workers)

    def _nearer(self, small: bytes, candidate: bytes) -> bytes:
        """The one whose answers are nearer to float's.

        Judged by pictures that the biases did not learn from, where there are enough.
        Training has seen them all.
        """
        pictures = self.pictures(_BIAS_PICTURES + _JUDGES)
        if self._judges_are_left:
            pictures = pictures[_BIAS_PICTURES:]
        wanted, before, after = (
            logits(model, self.structure, pictures, workers=self.workers)
            for model in (self.model, small, candidate)
        )
        return candidate if typical_share(wanted, after) < typical_share(wanted, before) else small

    @property
    def _judges_are_left(self) -> bool:
        """Whether there are pictures enough for some to judge only."""
        return len(self.calibration) >= _BIAS_PICTURES + _FEW_JUDGES

    def pictures(self, count: int) -> list[Picture]:
        """The first calibration pictures, as network inputs."""
        if len(self._pictures) < min(count, len(self.calibration)):
            self._pictures = list(islice(self.calibration.inputs(), count))
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

    def found(self, progress: Progress = _silent) -> dict[str, Found]:
        """The searched range of each tensor, and what the tensor does to the answer."""
        if self._found is None:
            self.statistics(progress)
            pinned = pinned_ranges(self.model, self.structure, self.calibration)
            self._found = search_ranges(
                self.model,
                self.structure,
                self._by_role(ROLE_METHODS),
                frozenset((*pinned, *logit_names(self.structure))),
                self.pictures(SEARCH_PICTURES),
                workers=self.workers,
                progress=progress,
            )
        return self._found

    def _ranges(self, rung: Rung, progress: Progress) -> Ranges:
        self.statistics(progress)
        if rung.ranges in _METHODS:
            return self._by_role(_METHODS[rung.ranges])
        found = {name: tensor.range for name, tensor in self.found(progress).items()}
        return {**self._by_role(ROLE_METHODS), **found}

    def _left_float(self, rung: Rung) -> frozenset[str]:
        if not rung.left_float:
            return frozenset()
        found = self.found()
        costliest = sorted(found, key=lambda name: -found[name].share)[: rung.left_float]
        return kept_in_float(self.structure, costliest)

    def _by_role(self, methods: Methods) -> Ranges:
        return choose_ranges(
            self.statistics(), self.structure, self.calibration, self.model, methods
        )
