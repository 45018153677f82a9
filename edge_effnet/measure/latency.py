"""How long models take here, measured so that their ratio can be trusted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Latency:
    """Raw samples of one callable, in milliseconds, in the order taken."""

    samples_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        return median(self.samples_ms)


def interleaved_latency(
    calls: Sequence[Callable[[], object]],
    *,
    min_seconds: float = 2.0,
    min_rounds: int = 10,
    warmup_rounds: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Latency]:
    """Time callables in turn (A B A B …), so that a machine that speeds up or slows down
    does so for all of them alike: compare medians within one result, not between results.

    Args:
        min_seconds, min_rounds: both must be reached.
        clock: seconds; a test passes its own.
    """
    for _ in range(warmup_rounds):
        for call in calls:
            call()
    samples: list[list[float]] = [[] for _ in calls]
    began = clock()
    while len(samples[0]) < min_rounds or clock() - began < min_seconds:
        for call, taken in zip(calls, samples, strict=True):
            before = clock()
            call()
            taken.append(1e3 * (clock() - before))
    return [Latency(tuple(taken)) for taken in samples]
