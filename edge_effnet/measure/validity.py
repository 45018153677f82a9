"""Whether a measurement may be believed, and if not, what to do about it.

A table of rules over what was read before and after and over the samples themselves. Each
rule that fires gives a ``Remark``: either the measurement is invalid by it, or it is a note
that a reader of the figures should know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from edge_effnet.measure.environment import Environment
from edge_effnet.measure.statistics import median_interval
from edge_effnet.measure.system_state import SINCE_BOOT, THROTTLED_NOW, SystemState

OTHERS_SHARE = 0.10  # of the cores, taken by other processes
OWN_SHARE = 0.90  # of one core, that a loop of inferences must get
CLOCK_CHANGE = 0.10
DRIFT = 0.10  # between the first and the last third of the samples
MEDIAN_WIDTH = 0.05  # half the interval of the median, as a share of it
HOT_PI_C = 80.0  # from here on a Raspberry Pi lowers its clock (its documentation)
HOT_C = 95.0
_SLOW_GOVERNORS = {"powersave", "ondemand", "conservative", "schedutil", "userspace"}


@dataclass(frozen=True)
class Remark:
    """One thing about a measurement.

    Attributes:
        code: stable, for machines.
        invalid: whether it spoils the figures, or should only be known.
        what, fix: for people.
    """

    code: str
    invalid: bool
    what: str
    fix: str


@dataclass(frozen=True)
class Validity:
    remarks: tuple[Remark, ...]

    @property
    def valid(self) -> bool:
        return not any(remark.invalid for remark in self.remarks)

    @property
    def problems(self) -> tuple[Remark, ...]:
        return tuple(remark for remark in self.remarks if remark.invalid)

    @property
    def notes(self) -> tuple[Remark, ...]:
        return tuple(remark for remark in self.remarks if not remark.invalid)

    def to_json(self) -> dict[str, Any]:
        return {"valid": self.valid, "remarks": [asdict(remark) for remark in self.remarks]}

    @staticmethod
    def from_json(raw: Mapping[str, Any]) -> Validity:
        return Validity(tuple(Remark(**remark) for remark in raw["remarks"]))


def judge_machine(
    environment: Environment, before: SystemState, after: SystemState, *, sustained: bool = False
) -> Validity:
    """Judge a run by the machine's state before and after it.

    Args:
        sustained: heat was asked for: what it does is the finding, not a fault.
    """
    board = (*_power(before, after), *_heat(environment, before, after), *_clock(before, after))
    if sustained:  # a weak power supply stays a fault
        board = tuple(
            replace(remark, invalid=remark.invalid and "under-voltage" in remark.what)
            for remark in board
        )
    return Validity(
        (
            *_emulation(environment),
            *board,
            *_load(environment, before, after),
            *_system(environment),
        )
    )


def judge_samples(
    samples_ms: Sequence[float], *, steady: bool = True, sustained: bool = False
) -> Validity:
    """Judge one model's samples by themselves.

    Args:
        steady: whether its warm-up ended by the rule.
        sustained: heat was asked for: then drift is the finding, not a fault.
    """
    remarks = []
    if not steady:
        remarks.append(
            Remark(
                "not-warm",
                True,
                "it was still getting faster when warming up ended",
                "measure for longer: --seconds",
            )
        )
    middle = median(samples_ms)
    low, high = median_interval(samples_ms)
    if (high - low) / 2 > MEDIAN_WIDTH * middle:
        remarks.append(
            Remark(
                "noisy",
                True,
                f"the median is known only to ±{50 * (high - low) / middle:.0f} % "
                f"from {len(samples_ms)} samples",
                "stop other programs, or measure for longer: --seconds",
            )
        )
    third = len(samples_ms) // 3
    if third >= 5:
        change = median(samples_ms[-third:]) / median(samples_ms[:third]) - 1
        if abs(change) > DRIFT:
            remarks.append(
                Remark(
                    "drift",
                    not sustained,
                    f"the last third of the samples is {100 * change:+.0f} % off the first",
                    "let the board cool and reach a steady clock, or stop other programs",
                )
            )
    return Validity(tuple(remarks))


def _emulation(environment: Environment) -> Iterator[Remark]:
    if environment.emulated:
        yield Remark(
            "emulated",
            True,
            f"the CPU is emulated ({environment.emulated}): times say nothing about a device",
            "measure on the device itself; answers are comparable, latencies are not",
        )


def _power(before: SystemState, after: SystemState) -> Iterator[Remark]:
    bits = after.throttled
    if bits is not None:
        now = (before.throttled or 0) | bits
        active = [name for bit, name in THROTTLED_NOW.items() if now >> bit & 1]
        fresh = bits & ~(before.throttled or 0)
        passed = [n for bit, n in THROTTLED_NOW.items() if fresh >> (bit + SINCE_BOOT) & 1]
        earlier = [n for bit, n in THROTTLED_NOW.items() if bits >> (bit + SINCE_BOOT) & 1]
        if active or passed:
            names = ", ".join(dict.fromkeys(active + passed))
            yield Remark("throttled", True, f"the board reports: {names}", _power_fix(names))
        elif earlier:
            yield Remark(
                "throttled-before",
                False,
                f"since it was switched on, the board has reported: {', '.join(earlier)}",
                _power_fix(", ".join(earlier)),
            )
    elif after.undervoltage_alarm or before.undervoltage_alarm:
        yield Remark(
            "throttled", True, "the board reports: under-voltage", _power_fix("under-voltage")
        )
    counts = before.throttle_count, after.throttle_count
    if None not in counts and counts[0] != counts[1]:
        yield Remark(
            "throttled",
            True,
            f"heat slowed cores {(counts[1] or 0) - (counts[0] or 0)} times during the run",
            "cool the machine and measure again, or measure heat on purpose: --sustained",
        )


def _power_fix(names: str) -> str:
    if "under-voltage" in names:
        return "use the board's own power supply and a short cable, without USB devices on it"
    return "cool the board (heat sink, fan), wait, and measure again"


def _heat(environment: Environment, before: SystemState, after: SystemState) -> Iterator[Remark]:
    limit = HOT_PI_C if environment.raspberry_pi else HOT_C
    known = [t for t in (before.temperature_c, after.temperature_c) if t is not None]
    if known and max(known) >= limit:
        yield Remark(
            "hot",
            True,
            f"the CPU reached {max(known):.0f} °C; from {limit:.0f} °C on it slows down",
            "cool it and measure again, or measure heat on purpose: --sustained",
        )
    if not known:
        yield Remark(
            "no-temperature", False, "this machine shows no temperature", "watch it elsewhere"
        )


def _clock(before: SystemState, after: SystemState) -> Iterator[Remark]:
    first, last = before.frequency_mhz, after.frequency_mhz
    if first and last and abs(last / first - 1) > CLOCK_CHANGE:
        yield Remark(
            "clock-changed",
            True,
            f"the clock went from {first:.0f} to {last:.0f} MHz during the run",
            "set the governor to performance, cool the machine, measure again",
        )
    if slow := sorted(_SLOW_GOVERNORS & set(after.governors)):
        yield Remark(
            "governor",
            False,
            f"the CPU's clock is governed by {', '.join(slow)}, which varies it",
            "echo performance | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor",
        )
    if not after.governors and first is None:
        yield Remark("no-clock", False, "this machine shows no CPU clock", "watch it elsewhere")


def _load(environment: Environment, before: SystemState, after: SystemState) -> Iterator[Remark]:
    wall = after.clock_s - before.clock_s
    if wall <= 0:
        return
    own = after.own_busy_s - before.own_busy_s
    if before.machine_busy_s is not None and after.machine_busy_s is not None:
        others = others_share(environment, before, after)
        if others > OTHERS_SHARE:
            yield Remark(
                "other-load",
                True,
                f"other programs used {100 * others:.0f} % of the CPU meanwhile",
                "stop them, then measure again",
            )
    if own < OWN_SHARE * wall:
        yield Remark(
            "starved",
            True,
            f"the benchmark got {100 * own / wall:.0f} % of a core's time",
            "stop other programs, or give the container more CPU",
        )
    stops = before.quota_stops, after.quota_stops
    if None not in stops and stops[0] != stops[1]:
        yield Remark(
            "cpu-quota",
            True,
            f"the container's CPU limit stopped it {(stops[1] or 0) - (stops[0] or 0)} times",
            "raise the limit (docker --cpus), or use fewer threads",
        )


def others_share(environment: Environment, before: SystemState, after: SystemState) -> float:
    """CPU time of all other processes as a share of the usable cores' time, 0–1 or above."""
    wall = after.clock_s - before.clock_s
    busy = (after.machine_busy_s or 0) - (before.machine_busy_s or 0)
    own = after.own_busy_s - before.own_busy_s
    return max(0.0, busy - own) / (environment.cores * wall) if wall > 0 else 0.0


def _system(environment: Environment) -> Iterator[Remark]:
    if environment.bits == 32 and environment.machine in {"armv7l", "armv8l", "aarch64"}:
        yield Remark(
            "32-bit",
            False,
            "the system is 32-bit: slower kernels, and an old runtime",
            "install the 64-bit Raspberry Pi OS where the board can run it",
        )
