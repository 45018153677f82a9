"""Load time, first inference and memory of one model, in a process of its own.

    python -m edge_effnet.measure.probe MODEL [--threads N] [--no-delegate]

prints one line of JSON. A fresh process is the only honest place for all three: the second
model of a process finds libraries loaded and memory already taken.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_effnet.errors import ModelError
from edge_effnet.runtime.crash import runtime_died_here

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
    command = [sys.executable, "-m", __name__, str(model), "--threads", str(threads)]
    if not delegate:
        command.append("--no-delegate")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{model} was not run once in {TIMEOUT_SECONDS} s",
            fix="use a smaller network, or a machine with more memory",
        ) from error
    if done.returncode != 0:
        if done.returncode < 0:
            raise runtime_died_here(-done.returncode)
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise ModelError(
            f"{model} cannot be run in a process of its own",
            found=last[0][:300],
            fix="check that the runtime fits this CPU: edge-effnet doctor",
        )
    return Probe(**json.loads(done.stdout.strip().splitlines()[-1]))


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-delegate", action="store_true")
    chosen = parser.parse_args()
    # Ask before the runtime prints its own lines to stdout's descriptor.
    answer = json.dumps(asdict(_measure(chosen.model, chosen.threads, not chosen.no_delegate)))
    sys.stdout.write(answer + os.linesep)


if __name__ == "__main__":
    main()
