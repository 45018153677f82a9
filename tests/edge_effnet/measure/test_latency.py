"""Interleaved timing, with a clock of our own."""

from __future__ import annotations

from edge_effnet.measure.latency import Latency, interleaved_latency


class Machine:
    """A clock that only work moves; the machine slows down by a tenth with every call."""

    def __init__(self) -> None:
        self.now, self.speed, self.order = 0.0, 1.0, ""

    def work(self, name: str, seconds: float) -> None:
        self.order += name
        self.now += seconds * self.speed
        self.speed *= 1.1


def test_a_machine_that_slows_down_does_so_for_all() -> None:
    machine = Machine()
    fast, slow = interleaved_latency(
        [lambda: machine.work("a", 0.001), lambda: machine.work("b", 0.002)],
        min_seconds=0,
        min_rounds=11,
        warmup_rounds=2,
        clock=lambda: machine.now,
    )
    assert machine.order == "ab" * 13
    assert len(fast.samples_ms) == len(slow.samples_ms) == 11
    ratio = slow.median_ms / fast.median_ms
    assert abs(ratio - 2.2) < 1e-9  # one call's slowdown, not eleven
    assert fast.samples_ms == tuple(sorted(fast.samples_ms))  # raw, in the order taken


def test_both_rounds_and_seconds_must_be_reached() -> None:
    machine = Machine()
    (only,) = interleaved_latency(
        [lambda: machine.work("a", 0.01 / machine.speed)],
        min_seconds=1.0,
        min_rounds=3,
        warmup_rounds=0,
        clock=lambda: machine.now,
    )
    assert len(only.samples_ms) in (100, 101)
    assert abs(only.median_ms - 10) < 1e-6


def test_the_median_of_two_is_between_them() -> None:
    assert Latency((1.0, 4.0)).median_ms == 2.5
