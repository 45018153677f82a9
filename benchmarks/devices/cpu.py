"""This machine's CPU."""

from __future__ import annotations

from benchmarks.accuracy import measure_accuracy, plan_accuracy
from benchmarks.devices.coral import refuse_compiled
from benchmarks.harness import measure as measure_latency
from benchmarks.harness import probe_all
from benchmarks.results.result import Result
from benchmarks.spec import BenchSpec
from edge_effnet.stages import StartStage


def measure(spec: BenchSpec, _address: str, stage: StartStage) -> Result:
    """Latency and memory, then accuracy where the spec names data: in this order, because an
    hour of accuracy leaves a small board hot. Fresh processes come before all of it: a runtime
    that kills its process must not meet this one."""
    refuse_compiled(spec)
    probes = probe_all(spec, stage)
    plan = plan_accuracy(spec, stage)
    result = measure_latency(spec, probes, stage)
    return result.with_accuracy(measure_accuracy(spec, plan, stage) if plan else None)
