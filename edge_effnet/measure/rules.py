"""The rules of a good measurement: the table of what can be wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

SLOW_GOVERNORS = frozenset({"powersave", "ondemand", "conservative", "schedutil", "userspace"})
"""Governors that vary the CPU's clock."""
_POWER_FIX = "use the board's own power supply and a short cable, without USB devices on it"
_COOL_FIX = "cool the board (heat sink, fan), wait, and measure again"
_HEAT_FIX = "or measure heat on purpose: --sustained"
GOVERNOR_FIX = (
    "echo performance | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor"
)


class Rule(Enum):
    """A rule of a good measurement: code, whether breaking it spoils the figures, what is said
    of it (with named values), and the remedy. Several rules may share a code."""

    EMULATED = (
        "emulated",
        True,
        "the CPU is emulated ({how}): times say nothing about a device",
        "measure on the device itself; answers are comparable, latencies are not",
    )
    UNDER_VOLTAGE = ("throttled", True, "the board reports: {names}", _POWER_FIX)
    THROTTLED = ("throttled", True, "the board reports: {names}", _COOL_FIX)
    UNDER_VOLTAGE_BEFORE = (
        "throttled-before",
        False,
        "since it was switched on, the board has reported: {names}",
        _POWER_FIX,
    )
    THROTTLED_BEFORE = (
        "throttled-before",
        False,
        "since it was switched on, the board has reported: {names}",
        _COOL_FIX,
    )
    CORES_SLOWED = (
        "throttled",
        True,
        "heat slowed cores {times} during the run",
        f"cool the machine and measure again, {_HEAT_FIX}",
    )
    HOT = (
        "hot",
        True,
        "the CPU reached {reached:.0f} °C; from {limit:.0f} °C on it slows down",
        f"cool it and measure again, {_HEAT_FIX}",
    )
    NO_TEMPERATURE = (
        "no-temperature",
        False,
        "this machine shows no temperature",
        "watch it elsewhere",
    )
    CLOCK_CHANGED = (
        "clock-changed",
        True,
        "the clock went from {first:.0f} to {last:.0f} MHz during the run",
        "set the governor to performance, cool the machine, measure again",
    )
    GOVERNOR = (
        "governor",
        False,
        "the CPU's clock is governed by {names}, which varies it",
        GOVERNOR_FIX,
    )
    NO_CLOCK = ("no-clock", False, "this machine shows no CPU clock", "watch it elsewhere")
    OTHER_LOAD = (
        "other-load",
        True,
        "other programs used {percent:.0f} % of the CPU meanwhile",
        "stop them, then measure again",
    )
    STARVED = (
        "starved",
        True,
        "the benchmark got {percent:.0f} % of a core's time",
        "stop other programs, or give the container more CPU",
    )
    CPU_QUOTA = (
        "cpu-quota",
        True,
        "the container's CPU limit stopped it {times}",
        "raise the limit (docker --cpus), or use fewer threads",
    )
    SYSTEM_32_BIT = (
        "32-bit",
        False,
        "the system is 32-bit: slower kernels, and an old runtime",
        "install the 64-bit Raspberry Pi OS where the board can run it",
    )
    NOT_WARM = (
        "not-warm",
        True,
        "it was still getting faster when warming up ended",
        "measure for longer: --seconds",
    )
    NOISY = (
        "noisy",
        True,
        "the median is known only to ±{percent:.0f} % from {count} samples",
        "stop other programs, or measure for longer: --seconds",
    )
    DRIFT = (
        "drift",
        True,
        "the last third of the samples is {percent:+.0f} % off the first",
        "let the board cool and reach a steady clock, or stop other programs",
    )


OF_HEAT = {Rule.THROTTLED, Rule.CORES_SLOWED, Rule.HOT, Rule.CLOCK_CHANGED, Rule.DRIFT}
"""Rules that sustained load breaks: where heat was asked for, they are findings, not faults."""


@dataclass(frozen=True)
class Breach:
    """A rule that was broken, and by which values."""

    rule: Rule
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """What is said of it."""
        return self.rule.value[2].format(**self.values)


def breach(rule: Rule, **values: Any) -> Breach:
    return Breach(rule, values)
