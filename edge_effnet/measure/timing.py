"""How long files take here, in turn on one core, and whether to believe it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.measure.environment import Environment, read_environment
from edge_effnet.measure.latency import Latency, interleaved_latency
from edge_effnet.measure.rules import Rule, breach
from edge_effnet.measure.system_state import read_system_state
from edge_effnet.measure.validity import check_machine
from edge_effnet.runtime.classifier import open_classifier


@dataclass(frozen=True)
class Timing:
    """Files timed in turn.

    Attributes:
        latencies: one for each file.
        doubts: why they are not to be trusted, in sentences; empty where they are.
    """

    latencies: tuple[Latency, ...]
    doubts: tuple[str, ...]

    @property
    def medians_ms(self) -> tuple[float, ...]:
        return tuple(latency.median_ms for latency in self.latencies)


def time_files(files: Sequence[Path], *, seconds: float, min_rounds: int = 10) -> Timing:
    """Time one inference of each file on a grey image, at least so long and so often."""
    calls: list[Callable[[], Any]] = []
    for file in files:
        classifier = open_classifier(file)
        size = classifier.preprocess.shape
        grey = np.full(size, 128, np.uint8)
        calls.append(partial(classifier.scores_of_input, classifier.tensor(grey)))
    environment, before = read_environment(), read_system_state()
    latencies = interleaved_latency(calls, min_seconds=seconds, min_rounds=min_rounds)
    verdict = check_machine(environment, before, read_system_state())
    return Timing(tuple(latencies), tuple(_doubt(remark.what) for remark in verdict.problems))


def emulated_times(environment: Environment) -> tuple[str, ...]:
    """Why no time measured on this machine says anything; empty where its CPU is not emulated."""
    if environment.emulated is None:
        return ()
    return (_doubt(breach(Rule.EMULATED, how=environment.emulated).what),)


def _doubt(what: str) -> str:
    return f"the times are not to be trusted: {what}"
