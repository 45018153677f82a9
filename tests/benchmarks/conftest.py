"""A model that runs in microseconds, images for it, and results made up to the millisecond."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import ratios
from benchmarks.results.result import Case, Result
from edge_effnet.measure.environment import Environment
from edge_effnet.measure.probe import Probe
from edge_effnet.measure.validity import Validity, check_samples
from tests.benchmarks.ssh.server import Pi, running_pi
from tests.edge_effnet.conftest import colour_folder, colour_model, taught_model

__all__ = ["colour_folder", "colour_model", "taught_model"]

Cli = Callable[..., tuple[int, str, str]]
MakeResult = Callable[..., Result]

PI5 = Environment(
    device="Raspberry Pi 5 Model B Rev 1.0",
    machine="aarch64",
    bits=64,
    cpu="Cortex-A76",
    cores=4,
    features=("asimd", "asimddp"),
    memory_bytes=8 * 10**9,
    kernel="6.6.31",
    emulated=None,
    container=False,
    cpu_quota=None,
    python="3.11.2",
    runtime="LiteRT 2.3.0",
    opencv="4.10.0",
)
STATE: dict[str, Any] = {
    "governors": ["ondemand"],
    "frequency_mhz": 2400.0,
    "frequency_max_mhz": 2400.0,
    "temperature_c": 51.0,
    "throttled": 0,
    "own_busy_s": 1.0,
    "clock_s": 1.0,
}


@pytest.fixture
def make_result() -> MakeResult:
    """Make a result: ``make_result({"float": [4.0, …], "int8": [2.0, …]}, bits=32)``; further
    names are fields of the environment."""

    def make(samples: dict[str, Sequence[float]], **environment: Any) -> Result:
        cases = tuple(
            Case(
                name=name,
                file=f"models/{name}.tflite",
                sha256=f"{place:064x}",
                size_bytes=4_000_000 + place,
                threads=1,
                delegate=True,
                fresh=Probe(10.0, 5.0, 40_000_000, 60_000_000, 61_000_000),
                warmup_rounds=12,
                samples_ms=tuple(times),
                decode_ms=(),
                preprocess_ms=(0.4, 0.5),
                postprocess_ms=(0.01,),
                delegation=None,
                operator_ms=None,
                notice=None,
                verdict=check_samples(times),
            )
            for place, (name, times) in enumerate(samples.items())
        )
        return Result(
            made="2026-01-02T03:04:05+00:00",
            tool="edge-effnet 0",
            device="cpu",
            settings={"seconds": 5.0},
            environment=replace(PI5, **environment),
            before=STATE,
            after=STATE,
            timeline=(),
            verdict=Validity(()),
            cases=cases,
            ratios=ratios(cases, seed=0),
        )

    return make


@pytest.fixture
def user_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of the user here, who works in a folder of it."""
    home = tmp_path / "user"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "work")
    return home


@pytest.fixture
def pi(tmp_path: Path, user_home: Path) -> Iterator[Pi]:
    """A host that the user reaches as ``pi@pi4``."""
    (tmp_path / "pi").mkdir()
    with running_pi(tmp_path / "pi", user_home) as host:
        yield host
