"""The first run of a model file, in a process of its own.

The runtime is native code that trusts a file: a damaged one can end the process, hang, or take all
memory. So a file that has not run on this machine before is run once in a process whose time and
memory are limited. Files that ran (``known_files``), and files whose card holds the hash of what
``convert`` wrote, are opened at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path

from edge_effnet.artifact import CARD_NAME, split_archive
from edge_effnet.errors import ModelError
from edge_effnet.files.limits import ACTIVATION_BYTES, LOOP_S, TRIAL_S, Limit
from edge_effnet.runtime.crash import runtime_died_here, signal_name
from edge_effnet.system.apart import limit_memory, run_apart
from edge_effnet.system.cores import available_cores
from edge_effnet.tflite.checks import damaged, refuse_malformed

_COPIES = 3  # of the weights: the file, and what two sets of kernels make of it
_WORKING = 4  # times its largest operator, which unrolls images for convolutions
_MOST_THREADS = 4  # each takes memory of its own
_RUNTIME_LOADED = "runtime loaded"


def try_first(path: Path, model: bytes) -> tuple[str, ...] | None:
    """Run a file once elsewhere; afterwards it can be opened here.

    Args:
        model: the file's bytes; of a zip archive, those of the model in it.

    Returns:
        Why the runtime refuses it, with the XNNPACK delegate and without; empty where it runs
        with either; None where no further process can be started.

    Raises:
        ModelError: it is malformed, or ended the process, did not end, or took too much memory.
        RuntimeDied: not the file but the runtime ended it, which does not fit this CPU.
    """
    demand = refuse_malformed(model, str(path))
    if _as_converted(model, str(path)):
        return ()
    working = max(ACTIVATION_BYTES.value, _WORKING * demand.bytes_at_once)
    time = LOOP_S if demand.loops else TRIAL_S
    return _run_apart(path, working + _COPIES * len(model), time)


def _as_converted(data: bytes, name: str) -> bool:
    """Whether a card in the file holds the hash of its model."""
    model, files = split_archive(data, name)
    try:
        stated = json.loads(files[CARD_NAME])["model_sha256"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return False
    return bool(stated == hashlib.sha256(model).hexdigest())


def _run_apart(path: Path, memory: int, time: Limit) -> tuple[str, ...] | None:
    name = os.path.abspath(path)  # noqa: PTH100 (links)
    try:
        done = run_apart(__name__, name, str(memory), seconds=time.value)
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{path} was not run once in {time.value} s",
            fix="copy or convert it again; if it is a large network on a slow machine, set "
            f"{time.variable}={10 * time.value}",
        ) from error
    except OSError:
        return None
    if done.code < 0:
        raise _died(path, -done.code, loaded=_RUNTIME_LOADED in done.lines)
    if _RUNTIME_LOADED not in done.lines:
        return None  # no fault of the file, nor of the runtime, which is loaded here
    if done.code:
        raise _unfit(path, done.last_error[:200] or f"exit code {done.code}")
    failures = tuple(map(str, json.loads(done.lines[-1])))
    if failures and not failures[-1]:  # the runtime gives no reason where it gets no memory
        raise _unfit(path, "a refusal without a reason")
    return failures


def _died(path: Path, number: int, *, loaded: bool) -> ModelError:
    """A runtime for another CPU lacks instructions (SIGILL), or does not even load."""
    if number == signal.SIGILL or not loaded:
        return runtime_died_here(number)
    found = f"{signal_name(number)} when it was run once in a process of its own"
    if number in (signal.SIGABRT, signal.SIGKILL):  # also what memory that is refused ends in
        return _unfit(path, found)
    return damaged(str(path), found)


def _unfit(path: Path, found: str) -> ModelError:
    return ModelError(
        f"{path} is damaged, or needs more memory than the limit",
        found=found,
        expected=f"a file that runs within {ACTIVATION_BYTES.value >> 20} MiB",
        fix="copy or convert it again; if it is whole, set "
        f"{ACTIVATION_BYTES.variable}={2 * ACTIVATION_BYTES.value}",
    )


def main(path: str, memory: str) -> None:
    """Run a file once with each set of kernels; prints why each refuses, as JSON, where both do.

    Args:
        memory: bytes that may be taken.
    """
    from edge_effnet.runtime.interpreter import interpreter_options, load_runtime, run_once

    module = load_runtime().module
    print(_RUNTIME_LOADED, flush=True)
    limit_memory(int(memory))
    failures = []
    for xnnpack in (True, False):
        threads = min(_MOST_THREADS, available_cores())
        options = interpreter_options(Path(path), threads, xnnpack=xnnpack)
        try:
            run_once(module, options)
        except (RuntimeError, ValueError) as error:
            failures.append(" ".join(str(error).split()))
    print(json.dumps(failures if len(failures) > 1 else []))
