"""Load time, first inference and memory of one model, in a process of its own.

A fresh process is the only honest place for all three: the second
model of a process finds libraries loaded and memory already taken.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_effnet.errors import ModelError
from edge_effnet.runtime.crash import runtime_died_here
from edge_effnet.system.apart import run_apart

TIMEOUT_SECONDS = 300
INFERENCES = 5
_KIB = 1024


@dataclass(frozen=True)
class Probe:
    """One model in a fresh process.

    Attributes:
        load_ms: from the file to allocated tensors; the file is in the page cache.
        first_ms: the first inference, in which XNNPACK packs weights and touches memory.
        before_bytes: resident memory before the model: Python, NumPy and the runtime.
        resident_bytes: resident memory after a few inferences; None where /proc is missing.
        peak_bytes: the largest it ever was since before the model was loaded.
    """

    load_ms: float
    first_ms: float
    before_bytes: int | None
    resident_bytes: int | None
    peak_bytes: int | None


def probe(model: Path, *, threads: int = 1, delegate: bool = True) -> Probe:
    """Probe a model in a fresh process.

    Raises:
        RuntimeDied: native code killed the process, as with a runtime built for another CPU.
        ModelError: the process failed or does not answer.
    """
    try:
        done = run_apart(
            __name__, str(model), str(threads), str(int(delegate)), seconds=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{model} was not run once in {TIMEOUT_SECONDS} s",
            fix="use a smaller network, or a machine with more memory",
        ) from error
    except OSError as error:
        raise ModelError(
            f"{model} cannot be run in a process of its own",
            found=error.strerror or str(error),
            fix="end other programs, and run it with a Python that is a program of its own",
        ) from error
    if done.code != 0:
        if done.code < 0:
            raise runtime_died_here(-done.code)
        raise ModelError(
            f"{model} cannot be run in a process of its own",
            found=done.last_error[:300] or f"exit code {done.code}",
            fix="check that the runtime fits this CPU: edge-effnet doctor",
        )
    return Probe(**json.loads(done.lines[-1]))


def status_bytes(field: str, root: Path = Path("/")) -> int | None:
    """A memory field of /proc/self/status (``VmRSS``, ``VmHWM``) in bytes, None if absent."""
    try:
        lines = (root / "proc/self/status").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * _KIB
    return None


def _reset_peak() -> None:
    """Let VmHWM start again from what is resident now (Linux, proc(5): clear_refs 5)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return  # then the peak includes the imports, which are smaller than any model's


def _measure(model: str, threads: int, delegate: bool) -> Probe:
    import numpy as np

    from edge_effnet.runtime.delegates import delegate_for
    from edge_effnet.runtime.interpreter import interpreter_options, load_runtime
    from edge_effnet.tflite.reader import read_structure

    module, path = load_runtime().module, Path(model)
    external = delegate_for(read_structure(path))
    before = status_bytes("VmRSS")
    _reset_peak()
    began = time.perf_counter()
    options = interpreter_options(path, threads, xnnpack=delegate, external=external)
    interpreter = module.Interpreter(**options)
    interpreter.allocate_tensors()
    loaded = time.perf_counter()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    fed = time.perf_counter()
    interpreter.invoke()
    first = time.perf_counter()
    for _ in range(INFERENCES - 1):
        interpreter.invoke()
    return Probe(
        load_ms=1e3 * (loaded - began),
        first_ms=1e3 * (first - fed),
        before_bytes=before,
        resident_bytes=status_bytes("VmRSS"),
        peak_bytes=status_bytes("VmHWM"),
    )


def main(model: str, threads: str = "1", delegate: str = "1") -> None:
    """Print the figures of a model as one line of JSON."""
    # Ask before the runtime prints its own lines to stdout's descriptor.
    answer = json.dumps(asdict(_measure(model, int(threads), delegate == "1")))
    sys.stdout.write(answer + os.linesep)
