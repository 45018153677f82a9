"""Time per operator type, by TFLite's own ``benchmark_model`` where the user has one.

The Python runtimes have no public profiler, and a fast delegate is one node to them: without
the native tool this figure is left out. Get one from
storage.googleapis.com/tensorflow-nightly-public (nightly binaries of benchmark_model), or build
``//tensorflow/lite/tools/benchmark:benchmark_model``.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from edge_effnet.errors import DataError

TIMEOUT_SECONDS = 300
OperatorTimes = tuple[tuple[str, int, float], ...]
"""(type, count, milliseconds of one inference), slowest first."""

# [Node type] [count] [avg ms] [avg %] [cdf %] [mem KB] [times called]
_ROW = re.compile(r"^\s*(?P<type>[A-Z][\w ,()/-]*?)\s+(?P<count>\d+)\s+(?P<ms>[\d.]+)\s+[\d.]+%")


def operator_times(tool: Path, model: Path, threads: int, delegate: bool) -> OperatorTimes:
    """Run the tool.

    Raises:
        DataError: the tool cannot be run, or prints no summary by node type.
    """
    command = [
        str(tool),
        f"--graph={model}",
        f"--num_threads={threads}",
        f"--use_xnnpack={str(delegate).lower()}",
        "--enable_op_profiling=true",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(
            f"{tool} cannot be run",
            found=str(error),
            expected="TFLite's benchmark_model for this CPU",
            fix="check --native-tool, or leave it out",
        ) from error
    rows = parse_summary(done.stdout + done.stderr)
    if not rows:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing printed"]
        raise DataError(
            f"{tool} gives no time per operator type",
            found=f"exit code {done.returncode}; {last[0][:200]}",
            expected="a table 'Summary by node type'",
            fix="use TFLite's benchmark_model, or leave --native-tool out",
        )
    return rows


def parse_summary(text: str) -> OperatorTimes:
    """The last table "Summary by node type" of the tool's output."""
    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if "Summary by node type" in line]
    if not starts:
        return ()
    rows = []
    for line in lines[starts[-1] + 1 :]:
        if match := _ROW.match(line):
            rows.append((match["type"].strip(), int(match["count"]), float(match["ms"])))
        elif rows:
            break
    return tuple(sorted(rows, key=lambda row: -row[2]))
