"""This machine's CPU."""

from __future__ import annotations

from benchmarks.accuracy import measure_accuracy, prepare_judging
from benchmarks.harness import StartStage
from benchmarks.harness import measure as measure_latency
from benchmarks.result import Result
from benchmarks.spec import BenchSpec


def measure(spec: BenchSpec, _address: str, stage: StartStage) -> Result:
    """Latency and memory, then accuracy where the spec names data: in this order, because an
    hour of accuracy leaves a small board hot."""
    judging = prepare_judging(spec)
    result = measure_latency(spec, stage)
    return result.with_accuracy(measure_accuracy(spec, judging, stage) if judging else None)
