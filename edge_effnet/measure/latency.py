"""How long models take here, measured so that their ratio can be trusted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Call = Callable[[], object]
Clock = Callable[[], float]
"""Seconds from a monotonic clock; a test passes its own."""


@dataclass(frozen=True)
class WarmupRule:
    """When a callable counts as warm.

    It is steady once the median of its last ``window`` runs is no longer more than
    ``tolerance`` below the median of the ``window`` runs before: it has stopped getting faster.
    Getting slower is not waited out, that is noise or heat, which the samples must show.

    Attributes:
        max_seconds: for all callables together; what is not steady by then is named.
    """

    window: int = 5
    tolerance: float = 0.05
    max_seconds: float = 10.0


@dataclass(frozen=True)
class Warmup:
    """What warming up took: rounds of all callables, and whether each is steady."""

    rounds: int
    seconds: float
    steady: tuple[bool, ...]


@dataclass(frozen=True)
class Latency:
    """Raw samples of one callable, in milliseconds, in the order taken."""

    samples_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        return median(self.samples_ms)


def warm_up(
    calls: Sequence[Call], rule: WarmupRule | None = None, *, clock: Clock = time.perf_counter
) -> Warmup:
    """Run callables in turn until each is steady by the rule, or time is up."""
    rule = rule or WarmupRule()
    taken: list[list[float]] = [[] for _ in calls]
    began = clock()
    rounds = 0
    while True:
        for call, times in zip(calls, taken, strict=True):
            before = clock()
            call()
            times.append(clock() - before)
        rounds += 1
        steady = tuple(is_steady(times, rule) for times in taken)
        spent = clock() - began
        if all(steady) or spent >= rule.max_seconds:
            return Warmup(rounds, spent, steady)


def is_steady(times: Sequence[float], rule: WarmupRule) -> bool:
    """Whether the last runs are no longer faster than those before, by ``rule``."""
    if len(times) < 2 * rule.window:
        return False
    last, before = times[-rule.window :], times[-2 * rule.window : -rule.window]
    return median(last) >= (1 - rule.tolerance) * median(before)


def interleaved_latency(
    calls: Sequence[Call],
    *,
    min_seconds: float = 2.0,
    min_rounds: int = 10,
    warmup_rounds: int = 3,
    clock: Clock = time.perf_counter,
    progress: Callable[[float], object] | None = None,
) -> list[Latency]:
    """Time callables in turn (A B A B …), so that a machine that speeds up or slows down
    does so for all of them alike: compare medians within one result, not between results.

    Args:
        min_seconds, min_rounds: both must be reached.
        warmup_rounds: untimed rounds first; 0 after ``warm_up``.
        clock: seconds; a test passes its own.
        progress: called with the seconds spent after each round, outside what is timed.
    """
    for _ in range(warmup_rounds):
        for call in calls:
            call()
    samples: list[list[float]] = [[] for _ in calls]
    pairs = list(zip(calls, samples, strict=True))
    began = clock()
    spent = 0.0
    while len(samples[0]) < min_rounds or spent < min_seconds:
        for call, taken in pairs:
            before = clock()
            call()
            taken.append(1e3 * (clock() - before))
        spent = clock() - began
        if progress is not None:
            progress(spent)
    return [Latency(tuple(taken)) for taken in samples]
