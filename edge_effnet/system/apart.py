"""Python in a process of its own: for native code that a file can kill, and for honest figures.

The process imports what this one would, and nothing from the folder it is started in.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_START = (
    "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "importlib.import_module(sys.argv[2]).main(*sys.argv[3:])"
)
_LONGEST_S = 1_000_000  # poll(2) waits 24 days at most


@dataclass(frozen=True)
class Ended:
    """How such a process ended.

    Attributes:
        code: its exit code; that of a signal is negative.
        lines: what it wrote to its standard output.
        last_error: the last line of its standard error, empty where there is none.
    """

    code: int
    lines: tuple[str, ...]
    last_error: str


def run_apart(
    module: str,
    *arguments: str,
    seconds: float,
    content: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Call ``main(*arguments)`` of a module in a new process, and wait.

    Args:
        content: for its standard input.
        environment: variables beside those of this process.

    Raises:
        subprocess.TimeoutExpired: it did not end in time, and was killed.
        OSError: no process can be started here, or Python is part of a program.
    """
    done = subprocess.run(
        _command(module, *arguments),
        input=content,
        capture_output=True,
        timeout=min(seconds, _LONGEST_S),
        check=False,
        env={**os.environ, **(environment or {})},
    )
    errors = done.stderr.decode(errors="replace").strip().splitlines()
    lines = done.stdout.decode(errors="replace").splitlines()
    return Ended(done.returncode, tuple(lines), errors[-1] if errors else "")


@contextmanager
def started_apart(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the same, to talk with it: its standard input and output are pipes, its errors go
    where those of this process go.

    It does not hear Ctrl-C, and is killed where the block ends in an exception.

    Raises:
        OSError: no process can be started here, or Python is part of a program.
    """
    with subprocess.Popen(
        _command(module, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def end_with_input() -> None:
    """End this process where its standard input ends: whoever started it is gone."""

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _command(module: str, *arguments: str) -> list[str]:
    places = json.dumps([place for place in sys.path if isinstance(place, str)])
    return [_python(), "-P", "-c", _START, places, module, *arguments]


def _python() -> str:
    """The interpreter; a program that holds one would be started a second time."""
    if getattr(sys, "frozen", False) or "py" not in Path(sys.executable or "").name:
        raise FileNotFoundError(errno.ENOENT, "no Python that could be started", sys.executable)
    return sys.executable


def limit_memory(more_bytes: int) -> None:
    """Allow this process ``more_bytes`` than it has now, where the system tells what it has."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        taken = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))
        resource.setrlimit(resource.RLIMIT_DATA, (taken + more_bytes, taken + more_bytes))
    except (OSError, StopIteration, ValueError):
        return


def limit_cpu(more_s: int) -> None:
    """Allow this process so many seconds of computing more than it has had; SIGXCPU ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + more_s
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
