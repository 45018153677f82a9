"""What the harness adds to a bare ``invoke()`` loop, and what LiteRT's own tool says.

    python -m benchmarks.studies.overhead b0-int8.tflite

Each round runs a short bare loop and a short harness loop, in turns of who is first, so that a
machine that changes its speed does so for both; now and then ``litert-benchmark``, which comes
with LiteRT, runs in between. Besides, both loops are run around a function that does nothing,
which shows the harness's own microseconds without a network's noise. The bar: under 2 % of the
bare loop.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import click

from benchmarks.harness import fill_inputs
from edge_effnet.measure.latency import interleaved_latency
from edge_effnet.measure.statistics import Ratio, paired_ratio
from edge_effnet.runtime.interpreter import open_interpreter

TOOL_RUNS = 5
_MEDIAN = re.compile(r"Inference \(median\):\s+([\d.]+) ms")


@dataclass(frozen=True)
class Overhead:
    """Milliseconds of one inference, by round.

    Attributes:
        bare_ms: mean over a loop of nothing but ``invoke()``.
        harness_ms: mean over all the time the harness's loop took, its clock readings, lists
            and progress included; ``harness_median_ms`` the median of its samples.
        tool_ms: the median that ``litert-benchmark`` prints; empty where it is not installed.
        ratio: of harness to bare, with its interval.
        added_us: microseconds that the harness adds to a call that does nothing.
    """

    bare_ms: tuple[float, ...]
    harness_ms: tuple[float, ...]
    harness_median_ms: tuple[float, ...]
    tool_ms: tuple[float, ...]
    ratio: Ratio
    added_us: float

    @property
    def added_share(self) -> float:
        """``added_us`` as a share of one inference."""
        return self.added_us / 1e3 / median(self.bare_ms)


def measure_overhead(model: Path, *, rounds: int, seconds: float, tool: bool = True) -> Overhead:
    """Run the loops in turn, each half starting every other round.

    Raises:
        ModelError: the model cannot be run.
    """
    interpreter = open_interpreter(model).interpreter
    fill_inputs(interpreter, seed=0)
    invoke: Callable[[], object] = interpreter.invoke
    began = time.perf_counter()
    for _ in range(10):
        invoke()
    count = max(2, round(seconds / ((time.perf_counter() - began) / 10)))
    program = Path(sys.executable).with_name("litert-benchmark")
    every = max(1, rounds // TOOL_RUNS)
    bare: list[float] = []
    harness: list[float] = []
    medians: list[float] = []
    native: list[float] = []
    for turn in range(rounds):
        for which in (0, 1) if turn % 2 else (1, 0):
            if which:
                bare.append(_bare_ms(invoke, count))
            else:
                mean_ms, median_ms = _harness_ms(invoke, count)
                harness.append(mean_ms)
                medians.append(median_ms)
        if tool and program.exists() and turn % every == 0:
            native.append(_tool_ms(program, model))
    return Overhead(
        tuple(bare),
        tuple(harness),
        tuple(medians),
        tuple(native),
        paired_ratio(harness, bare),
        added_us(),
    )


def added_us(calls: int = 2000, rounds: int = 9) -> float:
    """Microseconds the harness adds to one call, on a call that does nothing: the fastest of
    several rounds, as anything above it is other programs."""
    harness = min(_harness_ms(_nothing, calls)[0] for _ in range(rounds))
    bare = min(_bare_ms(_nothing, calls) for _ in range(rounds))
    return 1e3 * (harness - bare)


def _nothing() -> None:
    return None


def _bare_ms(invoke: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        invoke()
    return 1e3 * (time.perf_counter() - began) / count


def _harness_ms(invoke: Callable[[], object], count: int) -> tuple[float, float]:
    shown = 0

    def tell(spent: float) -> None:  # as benchmarks.harness does
        nonlocal shown
        shown = max(shown, int(spent))

    began = time.perf_counter()
    (latency,) = interleaved_latency(
        [invoke], min_seconds=0, min_rounds=count, warmup_rounds=0, progress=tell
    )
    return 1e3 * (time.perf_counter() - began) / count, latency.median_ms


def _tool_ms(program: Path, model: Path) -> float:
    command = [str(program), f"--model={model}", "--num_threads=1", "--num_runs=100"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    match = _MEDIAN.search(done.stdout + done.stderr)
    if match is None:
        raise RuntimeError(f"{program.name} printed no median")
    return float(match[1])


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--rounds", default=500, show_default=True, type=click.IntRange(2))
@click.option("--seconds", default=0.02, show_default=True, help="Of each loop in each round.")
@click.option("--json", "as_json", is_flag=True)
def main(model: Path, rounds: int, seconds: float, as_json: bool) -> None:
    """Measure the harness's overhead on MODEL."""
    found = measure_overhead(model, rounds=rounds, seconds=seconds)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
        return
    click.echo(f"bare invoke() loop   {median(found.bare_ms):.4f} ms")
    click.echo(f"harness loop         {median(found.harness_ms):.4f} ms")
    click.echo(f"harness, its median  {median(found.harness_median_ms):.4f} ms")
    if found.tool_ms:
        click.echo(f"litert-benchmark     {median(found.tool_ms):.4f} ms (median)")
    click.echo(f"added to an empty call {found.added_us:.2f} us, {100 * found.added_share:.3f} %")
    low, high = 100 * (found.ratio.low - 1), 100 * (found.ratio.high - 1)
    click.echo(
        f"overhead {100 * (found.ratio.value - 1):+.2f} % (95 % interval {low:+.2f} to {high:+.2f})"
    )


if __name__ == "__main__":
    main()
