"""Native code that kills the process it runs in: what that means, in one line.

A wheel built for another CPU ends in SIGILL (an instruction this one lacks) or SIGSEGV. No
Python code sees that, so whatever may be the first to meet it runs in a process of its own.
"""

from __future__ import annotations

import signal
from importlib import metadata

from edge_effnet.errors import ModelError
from edge_effnet.system.cpu import ROOT, cpu_name, read_text

_RUNTIMES = ("ai-edge-litert", "tflite-runtime")


class RuntimeDied(ModelError):
    """The process of a runtime was killed by a signal.

    Args:
        signal_name: ``SIGILL``.
        cpu: the CPU's name.
        wheel: what was running, as exactly as is known.
    """

    def __init__(self, signal_name: str, cpu: str, wheel: str) -> None:
        super().__init__(
            f"native code died of {signal_name} on the CPU {cpu}",
            found=f"the wheel {wheel}",
            expected="one built for this CPU",
            fix="install another version of it; on a 64-bit board also the 64-bit system",
        )


def signal_name(number: int) -> str:
    """``4`` is ``SIGILL``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def runtime_died_here(number: int) -> RuntimeDied:
    """The runtime of this machine was killed by signal ``number``."""
    cpu = cpu_name(read_text(ROOT / "proc/cpuinfo") or "")
    return RuntimeDied(signal_name(number), cpu or "of this machine", _wheel())


def _wheel() -> str:
    """Name, version and tags of the installed runtime, without importing it."""
    for name in _RUNTIMES:
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        lines = (found.read_text("WHEEL") or "").splitlines()
        tags = [line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: ")]
        return " ".join([name, found.version, *tags])
    return "of an unknown TFLite runtime"
