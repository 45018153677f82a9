"""The measurement itself, on the Pi, in the environment that ``agent`` found or built.

    python -m benchmarks.devices.pi.worker job.json

Writes ``progress`` while it works and ``result.json`` or ``error.json`` at its end.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.devices.cpu import measure
from benchmarks.spec import BenchSpec
from edge_effnet.documents import structure
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.json_text import read_json
from edge_effnet.files.write import write_atomically

PROGRESS_SECONDS = 0.5


def work(job: Path) -> int:
    """Measure what ``job`` describes; returns the process's exit code."""
    spec = structure(read_json(job)["spec"], BenchSpec)
    with Path("progress").open("a", encoding="utf-8", buffering=1) as progress:

        def stage(name: str, steps: int | None) -> Callable[[int], None]:
            progress.write(json.dumps({"stage": name, "steps": steps}) + "\n")
            told = time.monotonic()

            def done(count: int) -> None:
                nonlocal told
                if count == steps or time.monotonic() - told >= PROGRESS_SECONDS:
                    told = time.monotonic()
                    progress.write(json.dumps({"done": count}) + "\n")

            return done

        try:
            result = measure(spec, "", stage)
        except EdgeEffnetError as error:
            said = {"what": error.what, "found": error.found, "expected": error.expected}
            _write("error.json", {**said, "fix": error.fix})
            return 1
    _write("result.json", result.to_json())
    return 0


def _write(name: str, value: Any) -> None:
    write_atomically(Path(name), json.dumps(value).encode(), overwrite=True)


if __name__ == "__main__":
    sys.exit(work(Path(sys.argv[1])))
