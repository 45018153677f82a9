"""Peak memory of a conversion: of all processes of the command together.

    python -m benchmarks.studies.convert_memory b0 b4 b7

Each variant is converted with random weights and generated images. Every tenth of a second the
resident memory (RSS) of the command and of the processes that it has started is added up.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.studies.cli import run_study
from edge_effnet.errors import EdgeEffnetError

INTERVAL_S = 0.1
_KIB = 1024


@dataclass(frozen=True)
class Peak:
    """``bytes`` is the largest sum of RSS at one time."""

    bytes: int
    seconds: float


def measure_peak(command: Sequence[str]) -> Peak:
    """Run a command to its end.

    Raises:
        EdgeEffnetError: it failed.
    """
    began, largest = time.monotonic(), 0
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            largest = max(largest, sum(map(resident_bytes, family(process.pid))))
            time.sleep(INTERVAL_S)
    if process.returncode:
        raise EdgeEffnetError(
            f"{command[0]} failed",
            found=f"exit code {process.returncode}",
            fix=f"run it by hand: {' '.join(command)}",
        )
    return Peak(largest, time.monotonic() - began)


def family(number: int) -> Iterator[int]:
    """A process, its children, theirs, and so on."""
    yield number
    try:
        lists = [path.read_text() for path in Path(f"/proc/{number}/task").glob("*/children")]
    except OSError:  # it has ended meanwhile
        return
    for child in " ".join(lists).split():
        yield from family(int(child))


def resident_bytes(number: int) -> int:
    """RSS of a process; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{number}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * _KIB for line in lines if line.startswith("VmRSS:")), 0)


@click.command()
@click.argument("variants", nargs=-1, required=True)
def command(variants: tuple[str, ...]) -> None:
    """Convert each of VARIANTS to int8 and print the peak of memory."""
    for variant in variants:
        with TemporaryDirectory() as out:
            words = ("convert", "--variant", variant, "--weights", "random", "--int8", "--out", out)
            peak = measure_peak([sys.executable, "-m", "edge_effnet", *words])
        click.echo(f"{variant:8} {peak.bytes / 1e9:5.2f} GB {peak.seconds:7.1f} s")


if __name__ == "__main__":
    run_study(command)
