"""Warming up, and what is told meanwhile, with a clock that only calls move."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from edge_effnet.measure.latency import WarmupRule, interleaved_latency, is_steady, warm_up


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0
        self.called: list[str] = []

    def __call__(self) -> float:
        return self.now

    def call(self, name: str, seconds: Sequence[float]) -> Callable[[], None]:
        """A callable that takes these times in turn, the last one ever after."""
        left = list(seconds)

        def run() -> None:
            self.called.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


def test_warming_up_ends_when_nothing_gets_faster() -> None:
    clock = FakeClock()
    falling = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1]
    warmed = warm_up(
        [clock.call("a", falling), clock.call("b", [0.01])],
        WarmupRule(max_seconds=100),
        clock=clock,
    )
    assert warmed.steady == (True, True)
    assert warmed.rounds == 17  # five at 0.1 whose median follows five with a median of 0.1
    assert clock.called[:4] == ["a", "b", "a", "b"]


def test_what_never_gets_steady_is_named_when_time_is_up() -> None:
    clock = FakeClock()
    falling = [0.9**step for step in range(200)]
    rule = WarmupRule(max_seconds=8)
    warmed = warm_up([clock.call("a", falling), clock.call("b", [0.1])], rule, clock=clock)
    assert warmed.steady == (False, True)
    assert 8 <= warmed.seconds < 10


def test_getting_slower_is_not_waited_out() -> None:
    assert is_steady([1, 1, 1, 1, 1, 2, 2, 2, 2, 2], WarmupRule())
    assert not is_steady([1, 1, 1, 1, 1, 0.9, 0.9, 0.9, 0.9, 0.9], WarmupRule())
    assert not is_steady([1] * 9, WarmupRule())


def test_samples_are_taken_in_turn_until_both_limits_are_reached() -> None:
    clock = FakeClock()
    told: list[float] = []
    one, other = interleaved_latency(
        [clock.call("a", [0.002]), clock.call("b", [0.003])],
        min_seconds=0.1,
        min_rounds=5,
        warmup_rounds=1,
        clock=clock,
        progress=told.append,
    )
    assert clock.called == ["a", "b"] * (len(one.samples_ms) + 1)
    assert len(one.samples_ms) == len(other.samples_ms) == len(told) == 20
    assert one.median_ms == pytest.approx(2)
    assert other.median_ms == pytest.approx(3)
