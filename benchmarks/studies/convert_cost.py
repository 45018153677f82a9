"""Time and peak memory of ``edge-effnet convert``, in a fresh process.

    python -m benchmarks.studies.convert_cost --variant b0 --weights random --calibration photos/

The bar: B0 at 224 px with 200 calibration images in at most 75 s and 3 GB on 2 cores.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click


@dataclass(frozen=True)
class ConvertCost:
    """What one conversion took.

    Attributes:
        peak_memory_mb: largest resident set of the process, in MB (10^6 bytes).
        size_ratio: int8 file over float file.
    """

    wall_seconds: float
    peak_memory_mb: float
    size_ratio: float


def measure_convert(arguments: list[str]) -> ConvertCost:
    """Run ``convert`` with these arguments into a scratch folder and measure it.

    Raises:
        subprocess.CalledProcessError: the conversion failed; its errors are on stderr.
    """
    with tempfile.TemporaryDirectory() as out:
        report = Path(out) / "report.json"
        began = time.perf_counter()
        command = [sys.executable, "-m", "edge_effnet", "convert", "--int8", *arguments]
        subprocess.run(
            [*command, "--out", out, "--json", str(report)], check=True, stdout=subprocess.DEVNULL
        )
        wall_seconds = time.perf_counter() - began
        peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        models = json.loads(report.read_text())["models"]
    ratio = next(model["size_ratio"] for model in models if model["recipe"] == "int8")
    return ConvertCost(wall_seconds, peak_kb * 1024 / 1e6, ratio)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def main(arguments: tuple[str, ...]) -> None:
    """Measure `edge-effnet convert --int8 ARGUMENTS`; prints JSON."""
    click.echo(json.dumps(asdict(measure_convert(list(arguments))), indent=1))


if __name__ == "__main__":
    main()
