"""Measure models on this machine: all in turn, raw samples kept, the machine watched.

What is timed is ``invoke()`` and two readings of the clock; see ``studies/overhead.py`` for
what that adds. Everything slow (fresh processes, hashes, accuracy) happens before or after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.native import OperatorTimes, operator_times
from benchmarks.processing import ProcessingTimes, time_processing
from benchmarks.results.result import Case, CaseRatio, Result, rounded
from benchmarks.spec import MIN_ROUNDS, BenchSpec
from edge_effnet import __version__
from edge_effnet.documents import unstructure
from edge_effnet.errors import ModelError
from edge_effnet.files.read import content_hash
from edge_effnet.measure.delegation import delegation
from edge_effnet.measure.environment import read_environment
from edge_effnet.measure.latency import Latency, interleaved_latency, warm_up
from edge_effnet.measure.probe import Probe, probe
from edge_effnet.measure.statistics import paired_ratio
from edge_effnet.measure.storage import storage_of
from edge_effnet.measure.system_state import SystemState, read_system_state
from edge_effnet.measure.validity import check_machine, check_samples
from edge_effnet.runtime.crash import RuntimeDied
from edge_effnet.runtime.interpreter import OpenInterpreter, look_first, open_interpreter
from edge_effnet.stages import StartStage, no_progress
from edge_effnet.system.cpu import ROOT
from edge_effnet.tflite.reader import read_structure

TIMELINE_SECONDS = 5.0


@dataclass(frozen=True)
class Running:
    """A model held open with one setting, its input filled."""

    path: Path
    threads: int
    delegate: bool
    opened: OpenInterpreter

    def invoke(self) -> Callable[[], object]:
        invoke: Callable[[], object] = self.opened.interpreter.invoke
        return invoke


def measure(
    spec: BenchSpec,
    probes: Sequence[Probe | None],
    stage: StartStage = no_progress,
    *,
    root: Path = ROOT,
) -> Result:
    """Measure on this machine's CPU.

    Args:
        probes: as ``probe_all`` found them, before any model was opened in this process.
        root: where the machine's state is read, for tests.

    Raises:
        ModelError: a model cannot be opened or run.
    """
    running = open_all(spec)
    operators = _operators(spec, running, stage)
    processing = _processing(spec, stage)
    calls = [entry.invoke() for entry in running]
    environment = read_environment(root)
    done = stage("warming up", None)
    warmed = warm_up(calls)
    done(1)
    timeline: list[dict[str, Any]] = []
    before = read_system_state(root)
    latencies = _time(
        spec, calls, stage, _watch(timeline, root) if spec.sustained_minutes else None
    )
    after = read_system_state(root)
    cases = tuple(
        _case(
            spec,
            entry,
            probes[index],
            latencies[index],
            steady=warmed.steady[index],
            warmup_rounds=warmed.rounds,
            operators=operators[index],
            processing=processing[entry.path],
        )
        for index, entry in enumerate(running)
    )
    return Result(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        tool=f"edge-effnet {__version__}",
        device="cpu",
        settings=spec.to_json(),
        environment=environment,
        before=unstructure(before),
        after=unstructure(after),
        timeline=tuple(timeline),
        verdict=check_machine(
            environment,
            before,
            after,
            sustained=spec.sustained_minutes is not None,
            storages=[storage_of(read_structure(path)) for path in spec.models],
        ),
        cases=cases,
        ratios=ratios(cases, seed=spec.seed),
    )


def open_all(spec: BenchSpec) -> list[Running]:
    """Open every model with every setting; inputs hold seeded noise, not zeros, which some
    kernels skip.

    Raises:
        ModelError: see ``open_interpreter``.
    """
    running = []
    for path in spec.models:
        for threads, delegate in spec.settings:
            opened = open_interpreter(path, threads=threads, delegate=delegate)
            fill_inputs(opened.interpreter, spec.seed)
            running.append(Running(path, threads, delegate, opened))
    return running


def fill_inputs(interpreter: Any, seed: int) -> None:
    """Give every input seeded uniform noise: pixels for integers, 0–255 for floats."""
    generator = np.random.default_rng(seed)
    for detail in interpreter.get_input_details():
        dtype = np.dtype(detail["dtype"])
        low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype.kind in "iu" else (0, 255)
        if dtype.itemsize > 1 and dtype.kind in "iu":
            low, high = 0, 1  # indices and sizes: stay small
        values = generator.uniform(low, high, detail["shape"])
        interpreter.set_tensor(detail["index"], values.astype(dtype))


def ratios(cases: Sequence[Case], *, seed: int) -> tuple[CaseRatio, ...]:
    """Each case against the first model with the same setting, and each setting of a model
    against its first."""
    found = []
    for index, case in enumerate(cases):
        setting = (case.threads, case.delegate)
        bases = [
            next(i for i, c in enumerate(cases) if (c.threads, c.delegate) == setting),
            next(i for i, c in enumerate(cases) if c.sha256 == case.sha256),
        ]
        for base in dict.fromkeys(bases):
            if base != index:
                ratio = paired_ratio(case.samples_ms, cases[base].samples_ms, seed=seed)
                found.append(CaseRatio(**vars(ratio), case=index, base=base))
    return tuple(found)


def probe_all(spec: BenchSpec, stage: StartStage = no_progress) -> list[Probe | None]:
    """A fresh process for each case; None where none can be started.

    Raises:
        ModelError: a file is damaged; see ``look_first``.
        RuntimeDied: native code killed such a process, and would kill this one.
    """
    for path in spec.models:
        look_first(path)
    done = stage("loading in fresh processes", len(spec.models) * len(spec.settings))
    found: list[Probe | None] = []
    for path in spec.models:
        for threads, delegate in spec.settings:
            try:
                found.append(probe(path, threads=threads, delegate=delegate))
            except RuntimeDied:
                raise
            except (ModelError, OSError):
                # A few int8 files do not run with the XNNPACK delegate; ``open_interpreter``
                # then goes on without it and says so, and so must the fresh process.
                try:
                    found.append(probe(path, threads=threads, delegate=False))
                except (ModelError, OSError):
                    found.append(None)
            done(len(found))
    return found


def _operators(
    spec: BenchSpec, running: Sequence[Running], stage: StartStage
) -> list[OperatorTimes | None]:
    """By the native tool, before anything else is timed: a wrong tool costs no measurement."""
    if spec.native_tool is None:
        return [None] * len(running)
    done = stage("running the native tool", len(running))
    found: list[OperatorTimes | None] = []
    for entry in running:
        found.append(operator_times(spec.native_tool, entry.path, entry.threads, entry.delegate))
        done(len(found))
    return found


def _processing(spec: BenchSpec, stage: StartStage) -> dict[Path, ProcessingTimes]:
    done = stage("timing pre- and postprocessing", len(spec.models))
    found = {}
    for count, path in enumerate(spec.models, start=1):
        found[path] = time_processing(spec, path)
        done(count)
    return found


def _time(
    spec: BenchSpec,
    calls: Sequence[Callable[[], object]],
    stage: StartStage,
    watch: Callable[[float], None] | None,
) -> list[Latency]:
    seconds = spec.budget_seconds
    steps = max(1, round(seconds))
    done = stage("timing", steps)
    shown = 0

    def tell(spent: float) -> None:
        nonlocal shown
        if watch is not None:
            watch(spent)
        if int(spent) > shown:  # once a second: drawing a bar takes time from the models
            shown = int(spent)
            done(min(shown, steps - 1))

    latencies = interleaved_latency(
        calls, min_seconds=seconds, min_rounds=MIN_ROUNDS, warmup_rounds=0, progress=tell
    )
    done(steps)
    return latencies


def _watch(timeline: list[dict[str, Any]], root: Path) -> Callable[[float], None]:
    """Note the machine's heat and clock every few seconds, between two rounds."""

    def watch(spent: float) -> None:
        if not timeline or spent - timeline[-1]["seconds"] >= TIMELINE_SECONDS:
            state: SystemState = read_system_state(root)
            timeline.append(
                {
                    "seconds": round(spent, 3),
                    "temperature_c": state.temperature_c,
                    "frequency_mhz": state.frequency_mhz,
                    "throttled": state.throttled,
                }
            )

    return watch


def _case(
    spec: BenchSpec,
    entry: Running,
    fresh: Probe | None,
    latency: Latency,
    *,
    steady: bool,
    warmup_rounds: int,
    operators: OperatorTimes | None,
    processing: ProcessingTimes,
) -> Case:
    interpreter = entry.opened.interpreter
    return Case(
        name=dict(zip(spec.models, spec.names, strict=True))[entry.path],
        file=str(entry.path),
        sha256=content_hash(entry.path),
        size_bytes=entry.path.stat().st_size,
        threads=entry.threads,
        delegate=entry.delegate,
        fresh=fresh,
        warmup_rounds=warmup_rounds,
        samples_ms=rounded(latency.samples_ms),
        decode_ms=rounded(processing.decode_ms),
        preprocess_ms=rounded(processing.preprocess_ms),
        postprocess_ms=rounded(processing.postprocess_ms),
        delegation=delegation(interpreter),
        operator_ms=operators,
        notice=entry.opened.notice,
        verdict=check_samples(
            latency.samples_ms,
            steady=steady,
            sustained=spec.sustained_minutes is not None,
        ),
    )
