"""Times of converted files are checked like a benchmark's: what spoils them is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import edge_effnet.measure.timing
from edge_effnet.measure.environment import read_environment
from edge_effnet.measure.system_state import SystemState, read_system_state
from edge_effnet.measure.timing import emulated_times, time_files


@pytest.fixture
def file(colour_model: Callable[..., Path]) -> Path:
    return colour_model("model.tflite")


def test_files_are_timed_in_turn(file: Path) -> None:
    timing = time_files([file, file], seconds=0.1, min_rounds=12)
    one, other = timing.latencies
    assert len(one.samples_ms) == len(other.samples_ms) >= 12
    assert timing.medians_ms == (one.median_ms, other.median_ms)
    assert min(timing.medians_ms) > 0


def test_other_programs_are_a_reason_to_doubt(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside other work a converted file once took 0.09 of float's time: unsaid, that is a lie."""
    states: list[SystemState] = []

    def busy() -> SystemState:
        """Everyone else takes both cores all the time."""
        now = read_system_state()
        states.append(replace(now, machine_busy_s=now.own_busy_s + 1e3 * now.clock_s))
        return states[-1]

    monkeypatch.setattr(edge_effnet.measure.timing, "read_system_state", busy)
    timing = time_files([file], seconds=0.1)
    assert len(states) == 2
    assert any("other programs used" in doubt for doubt in timing.doubts)
    assert all(doubt.startswith("the times are not to be trusted: ") for doubt in timing.doubts)


def test_no_time_of_an_emulated_cpu_counts() -> None:
    real = read_environment()
    assert emulated_times(real) == ()
    (doubt,) = emulated_times(replace(real, emulated="the process runs inside qemu-aarch64"))
    assert doubt == (
        "the times are not to be trusted: the CPU is emulated (the process runs inside "
        "qemu-aarch64): times say nothing about a device"
    )
