"""The machine a measurement was made on: what does not change while it runs.

Every reader takes the root folder below which /proc and /sys lie, so that tests can show it a
Raspberry Pi. What cannot be read is None, never a guess.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.errors import EdgeEffnetError
from edge_effnet.system.cores import available_cores
from edge_effnet.system.cpu import ROOT, cpu_name, cpuinfo_field, read_text

# The instructions that multiply 8-bit integers several at a time, as /proc/cpuinfo spells them.
# Without one of these, int8 is hardly faster than float (XNNPACK chooses kernels by them).
INT8_FEATURES: Mapping[str, str] = {
    "asimddp": "Arm dot product (Cortex-A55, A75, A76 and later)",
    "i8mm": "Arm 8-bit matrix multiply",
    "avx_vnni": "x86 VNNI on 256 bits",
    "avx512_vnni": "x86 VNNI on 512 bits",
    "amx_int8": "x86 matrix tiles",
}
# Named beside them because they say which generation a CPU is of.
_BASE_FEATURES = ("neon", "asimd", "sve", "sve2", "avx", "avx2", "avx512f")


@dataclass(frozen=True)
class Environment:
    """A machine and the software that runs models on it.

    Attributes:
        device: the board's own name (``Raspberry Pi 4 Model B Rev 1.4``), where it has one.
        machine: ``aarch64``, ``armv7l``, ``x86_64`` as the system calls it.
        bits: of this process: 32 or 64.
        cores: this process may use.
        features: those of /proc/cpuinfo that XNNPACK chooses its code by.
        memory_bytes: of the machine.
        emulated: what says that the CPU is emulated, else None.
        container: whether the process runs in one.
        cpu_quota: cores' worth of time a container grants, None without a limit.
        runtime: TFLite runtime and version, None where none is installed.
    """

    device: str | None
    machine: str
    bits: int
    cpu: str | None
    cores: int
    features: tuple[str, ...]
    memory_bytes: int | None
    kernel: str
    emulated: str | None
    container: bool
    cpu_quota: float | None
    python: str
    runtime: str | None
    opencv: str | None

    @property
    def int8_features(self) -> tuple[str, ...]:
        return tuple(name for name in self.features if name in INT8_FEATURES)

    @property
    def raspberry_pi(self) -> bool:
        return "raspberry pi" in (self.device or "").lower()

    def identity(self) -> dict[str, Any]:
        """What must agree for two latencies to be of the same device."""
        kept = ("device", "machine", "bits", "cpu", "cores", "features", "emulated")
        return {name: getattr(self, name) for name in kept}


def read_environment(root: Path = ROOT, *, machine: str | None = None) -> Environment:
    """Describe this machine.

    Args:
        root: where /proc and /sys are looked for.
        machine: another architecture than this process's own, for tests.
    """
    machine = machine or platform.machine()
    cpuinfo = read_text(root / "proc/cpuinfo") or ""
    return Environment(
        device=_device(root, cpuinfo),
        machine=machine,
        bits=8 * struct.calcsize("P"),
        cpu=cpu_name(cpuinfo),
        cores=available_cores(),
        features=_features(cpuinfo),
        memory_bytes=_memory_bytes(root),
        kernel=platform.release(),
        emulated=emulation(root, machine, cpuinfo),
        container=_in_container(root),
        cpu_quota=_cpu_quota(root),
        python=platform.python_version(),
        runtime=_runtime(),
        opencv=_opencv(),
    )


def emulation(root: Path, machine: str, cpuinfo: str) -> str | None:
    """What shows that this CPU is emulated; None for a real or virtualized one.

    QEMU's user mode answers for /proc/self itself but leaves /proc/thread-self to the kernel,
    which tells the program that really runs.
    """
    for name in ("proc/thread-self/exe", "proc/self/exe"):
        try:
            program = (root / name).readlink().name
        except OSError:
            continue
        if program.startswith("qemu-"):
            return f"the process runs inside {program}"
    x86_info = "vendor_id" in cpuinfo and "flags" in cpuinfo
    if x86_info and machine.startswith(("arm", "aarch")):
        return f"an {machine} process on an x86 CPU"
    return None


def _device(root: Path, cpuinfo: str) -> str | None:
    for name in ("proc/device-tree/model", "sys/firmware/devicetree/base/model"):
        if model := read_text(root / name):
            return model
    board = cpuinfo_field(cpuinfo, "Model")  # Raspberry Pi kernels name the board here as well
    product = read_text(root / "sys/class/dmi/id/product_name")
    return board or product or None


def _features(cpuinfo: str) -> tuple[str, ...]:
    stated = (cpuinfo_field(cpuinfo, "Features") or cpuinfo_field(cpuinfo, "flags") or "").split()
    return tuple(name for name in (*_BASE_FEATURES, *INT8_FEATURES) if name in stated)


def _memory_bytes(root: Path) -> int | None:
    for line in (read_text(root / "proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _in_container(root: Path) -> bool:
    marks = (".dockerenv", "run/.containerenv")
    group = read_text(root / "proc/1/cgroup") or ""
    return any((root / mark).exists() for mark in marks) or "docker" in group or "lxc" in group


def _cpu_quota(root: Path) -> float | None:
    """Of control groups version 2: ``cpu.max`` holds microseconds per period, or ``max``."""
    parts = (read_text(root / "sys/fs/cgroup/cpu.max") or "").split()
    if len(parts) != 2 or not parts[0].isdigit() or not int(parts[1]):
        return None
    return int(parts[0]) / int(parts[1])


def _runtime() -> str | None:
    from edge_effnet.runtime.interpreter import load_runtime

    try:
        runtime = load_runtime()
    except EdgeEffnetError:
        return None
    return f"{runtime.name} {runtime.version}"


def _opencv() -> str | None:
    try:
        import cv2
    except ImportError:
        return None
    return str(cv2.__version__)
