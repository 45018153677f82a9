"""The machine's state at one moment: clock, heat, power, who else uses the CPU."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

from edge_effnet.system.cpu import ROOT, read_text

_FIRMWARE_FILE = "sys/devices/platform/soc/soc:firmware/get_throttled"
_CPU_SENSORS = ("cpu", "soc", "x86_pkg", "coretemp", "k10temp", "zenpower")
_TICKS_PER_SECOND = 100  # USER_HZ, fixed for /proc/stat


class Throttling(IntFlag):
    """What a Raspberry Pi reports of itself: the bits of its ``get_throttled``."""

    UNDER_VOLTAGE = 1
    CLOCK_CAPPED = 2
    THROTTLED = 4
    SOFT_TEMPERATURE_LIMIT = 8

    @property
    def names(self) -> tuple[str, ...]:
        """In words, each."""
        return tuple(_THROTTLING_NAMES[flag] for flag in self)


_THROTTLING_NAMES = {
    Throttling.UNDER_VOLTAGE: "under-voltage",
    Throttling.CLOCK_CAPPED: "the clock is capped",
    Throttling.THROTTLED: "throttled",
    Throttling.SOFT_TEMPERATURE_LIMIT: "the soft temperature limit is active",
}
_ALL_THROTTLING = 15
_SINCE_BOOT = 16  # the same four bits from here on: it happened since boot


@dataclass(frozen=True)
class SystemState:
    """What could be read; None or empty where the machine does not tell.

    Attributes:
        governors: the distinct cpufreq governors.
        frequency_mhz: the fastest core's clock now; ``frequency_max_mhz`` what it may reach.
        temperature_c: the hottest CPU sensor.
        throttled: Raspberry Pi's bit field, see ``Throttling``.
        undervoltage_alarm: of the kernel's rpi_volt sensor.
        throttle_count: x86: times a core was slowed by heat since boot.
        quota_stops: times a container's CPU quota stopped its processes.
        load_1min: /proc/loadavg.
        machine_busy_s: CPU seconds all processes have used since boot.
        own_busy_s: CPU seconds this process has used.
        clock_s: monotonic.
    """

    governors: tuple[str, ...]
    frequency_mhz: float | None
    frequency_max_mhz: float | None
    temperature_c: float | None
    throttled: int | None
    undervoltage_alarm: bool | None
    throttle_count: int | None
    quota_stops: int | None
    load_1min: float | None
    machine_busy_s: float | None
    own_busy_s: float
    clock_s: float

    @property
    def throttling(self) -> Throttling:
        """What the board reports now; nothing where it does not tell."""
        return Throttling((self.throttled or 0) & _ALL_THROTTLING)

    @property
    def throttling_since_boot(self) -> Throttling:
        return Throttling((self.throttled or 0) >> _SINCE_BOOT & _ALL_THROTTLING)


def read_system_state(
    root: Path = ROOT,
    *,
    clock: Callable[[], float] = time.monotonic,
    own_busy: Callable[[], float] = time.process_time,
) -> SystemState:
    """Read the machine's state now; takes a few milliseconds."""
    policies = sorted((root / "sys/devices/system/cpu/cpufreq").glob("policy*"))
    policies = policies or sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq"))
    governors = {read_text(policy / "scaling_governor") for policy in policies}
    load = (read_text(root / "proc/loadavg") or "").split()
    return SystemState(
        governors=tuple(sorted(name for name in governors if name)),
        frequency_mhz=_largest(policies, "scaling_cur_freq", 1e3),
        frequency_max_mhz=_largest(policies, "scaling_max_freq", 1e3),
        temperature_c=temperature_c(root),
        throttled=_throttled(root),
        undervoltage_alarm=_undervoltage_alarm(root),
        throttle_count=_throttle_count(root),
        quota_stops=_quota_stops(root),
        load_1min=float(load[0]) if load else None,
        machine_busy_s=_machine_busy_s(root),
        own_busy_s=own_busy(),
        clock_s=clock(),
    )


def temperature_c(root: Path = ROOT) -> float | None:
    """The hottest CPU sensor: thermal zones, else hwmon; of unnamed sensors, any."""
    named: list[float] = []
    other: list[float] = []
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        _sort_sensor(read_text(zone / "type"), [zone / "temp"], named, other)
    for sensor in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        _sort_sensor(read_text(sensor / "name"), sorted(sensor.glob("temp*_input")), named, other)
    return max(named or other, default=None)


def _sort_sensor(
    kind: str | None, files: list[Path], named: list[float], other: list[float]
) -> None:
    for file in files:
        value = _number(file)
        if value is not None and value > 0:
            mine = named if (kind or "").lower().startswith(_CPU_SENSORS) else other
            mine.append(value / 1e3)


def _number(file: Path) -> int | None:
    text = read_text(file)
    try:
        return int(text) if text else None
    except ValueError:
        return None


def _largest(policies: list[Path], name: str, unit: float) -> float | None:
    values = [value for policy in policies if (value := _number(policy / name)) is not None]
    return max(values) / unit if values else None


def _throttled(root: Path) -> int | None:
    """The kernel's file where it has one, else the firmware's own tool."""
    text = read_text(root / _FIRMWARE_FILE)
    if text is None and root == ROOT and (tool := shutil.which("vcgencmd")):
        try:
            done = subprocess.run(
                [tool, "get_throttled"], capture_output=True, text=True, timeout=5, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        text = done.stdout.strip().rpartition("=")[2]
    try:
        return int(text, 16) if text else None
    except ValueError:
        return None


def _undervoltage_alarm(root: Path) -> bool | None:
    for sensor in (root / "sys/class/hwmon").glob("hwmon*"):
        if read_text(sensor / "name") == "rpi_volt":
            alarm = _number(sensor / "in0_lcrit_alarm")
            return None if alarm is None else bool(alarm)
    return None


def _throttle_count(root: Path) -> int | None:
    files = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle/*_throttle_count")
    counts = [count for file in files if (count := _number(file)) is not None]
    return sum(counts) if counts else None


def _quota_stops(root: Path) -> int | None:
    for line in (read_text(root / "sys/fs/cgroup/cpu.stat") or "").splitlines():
        name, _, value = line.partition(" ")
        if name == "nr_throttled":
            return int(value)
    return None


def _machine_busy_s(root: Path) -> float | None:
    """First line of /proc/stat: user nice system idle iowait irq softirq steal guest …"""
    text = read_text(root / "proc/stat") or ""
    words = text.splitlines()[0].split() if text else []
    if len(words) < 8 or words[0] != "cpu":
        return None
    user, nice, system, _idle, _iowait, irq, softirq, *steal = (int(word) for word in words[1:9])
    return (user + nice + system + irq + softirq + sum(steal)) / _TICKS_PER_SECOND
