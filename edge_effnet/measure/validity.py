"""Whether a measurement may be believed, and if not, what to do about it.

What was read before and after a run, and its samples,
break rules; each one broken becomes a ``Remark``: either the measurement is invalid by it, or it
is a note that a reader of the figures should know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from edge_effnet.measure.environment import Environment
from edge_effnet.measure.old_runtime import kernels_finding
from edge_effnet.measure.rules import OF_HEAT, SLOW_GOVERNORS, Breach, Rule, breach
from edge_effnet.measure.statistics import median_interval
from edge_effnet.measure.storage import Storage
from edge_effnet.measure.system_state import SystemState, Throttling
from edge_effnet.plurals import counted

OTHERS_SHARE = 0.10  # of the cores, taken by other processes
OWN_SHARE = 0.90  # of one core, that a loop of inferences must get
CLOCK_CHANGE = 0.10
DRIFT = 0.10  # between the first and the last third of the samples
MEDIAN_WIDTH = 0.05  # half the interval of the median, as a share of it
HOT_PI_C = 80.0  # from here on a Raspberry Pi lowers its clock (its documentation)
HOT_C = 95.0


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


def check_machine(
    environment: Environment,
    before: SystemState,
    after: SystemState,
    *,
    sustained: bool = False,
    storages: Collection[Storage] = (),
) -> Validity:
    """Check a run by the machine's state before and after it.

    Args:
        sustained: heat was asked for: what it does is the finding, not a fault.
        storages: of the models that were measured.
    """
    found = kernels_finding(environment, storages)
    kernels = [Remark(found.code, False, found.what, found.fix or "")] if found else []
    by_rules = _validity(
        (
            *_emulation(environment),
            *_power(before, after),
            *_heat(environment, before, after),
            *_clock(before, after),
            *_load(environment, before, after),
            *_system(environment),
        ),
        sustained=sustained,
    )
    return Validity((*by_rules.remarks, *kernels))


def check_samples(
    samples_ms: Sequence[float], *, steady: bool = True, sustained: bool = False
) -> Validity:
    """Check one model's samples by themselves.

    Args:
        steady: whether its warm-up ended by the rule.
        sustained: heat was asked for: then drift is the finding, not a fault.
    """
    return _validity(_spread_of(samples_ms, steady), sustained=sustained)


def _validity(breaches: Iterable[Breach], *, sustained: bool) -> Validity:
    remarks = []
    for one in breaches:
        code, invalid, _, fix = one.rule.value
        invalid = invalid and not (sustained and one.rule in OF_HEAT)
        remarks.append(Remark(code, invalid, one.what, fix))
    return Validity(tuple(remarks))


def _spread_of(samples_ms: Sequence[float], steady: bool) -> Iterator[Breach]:
    if not steady:
        yield breach(Rule.NOT_WARM)
    middle = median(samples_ms)
    low, high = median_interval(samples_ms)
    if (high - low) / 2 > MEDIAN_WIDTH * middle:
        percent = 50 * (high - low) / middle
        yield breach(Rule.NOISY, percent=percent, count=len(samples_ms))
    third = len(samples_ms) // 3
    if third >= 5:
        change = median(samples_ms[-third:]) / median(samples_ms[:third]) - 1
        if abs(change) > DRIFT:
            yield breach(Rule.DRIFT, percent=100 * change)


def _emulation(environment: Environment) -> Iterator[Breach]:
    if environment.emulated:
        yield breach(Rule.EMULATED, how=environment.emulated)


def _power(before: SystemState, after: SystemState) -> Iterator[Breach]:
    active = before.throttling | after.throttling
    passed = after.throttling_since_boot & ~before.throttling_since_boot
    if after.throttled is None:
        alarm = after.undervoltage_alarm or before.undervoltage_alarm
        active, passed = Throttling.UNDER_VOLTAGE if alarm else Throttling(0), Throttling(0)
    earlier = after.throttling_since_boot
    if during := active | passed:
        # What is so now comes first, then what came and went.
        names = ", ".join(dict.fromkeys((*active.names, *passed.names)))
        weak = Throttling.UNDER_VOLTAGE in during
        yield breach(Rule.UNDER_VOLTAGE if weak else Rule.THROTTLED, names=names)
    elif earlier:
        weak = Throttling.UNDER_VOLTAGE in earlier
        rule = Rule.UNDER_VOLTAGE_BEFORE if weak else Rule.THROTTLED_BEFORE
        yield breach(rule, names=", ".join(earlier.names))
    if times := _counted(before.throttle_count, after.throttle_count):
        yield breach(Rule.CORES_SLOWED, times=counted(times, "time"))


def _counted(before: int | None, after: int | None) -> int:
    """How far a counter of the machine went; 0 where there is none."""
    return 0 if before is None or after is None else after - before


def _heat(environment: Environment, before: SystemState, after: SystemState) -> Iterator[Breach]:
    limit = HOT_PI_C if environment.raspberry_pi else HOT_C
    known = [t for t in (before.temperature_c, after.temperature_c) if t is not None]
    if not known:
        yield breach(Rule.NO_TEMPERATURE)
    elif max(known) >= limit:
        yield breach(Rule.HOT, reached=max(known), limit=limit)


def _clock(before: SystemState, after: SystemState) -> Iterator[Breach]:
    first, last = before.frequency_mhz, after.frequency_mhz
    if first and last and abs(last / first - 1) > CLOCK_CHANGE:
        yield breach(Rule.CLOCK_CHANGED, first=first, last=last)
    if slow := sorted(SLOW_GOVERNORS & set(after.governors)):
        yield breach(Rule.GOVERNOR, names=", ".join(slow))
    if not after.governors and first is None:
        yield breach(Rule.NO_CLOCK)


def _load(environment: Environment, before: SystemState, after: SystemState) -> Iterator[Breach]:
    wall = after.clock_s - before.clock_s
    if wall <= 0:
        return
    own = after.own_busy_s - before.own_busy_s
    if before.machine_busy_s is not None and after.machine_busy_s is not None:
        others = others_share(environment, before, after)
        if others > OTHERS_SHARE:
            yield breach(Rule.OTHER_LOAD, percent=100 * others)
    if own < OWN_SHARE * wall:
        yield breach(Rule.STARVED, percent=100 * own / wall)
    if times := _counted(before.quota_stops, after.quota_stops):
        yield breach(Rule.CPU_QUOTA, times=counted(times, "time"))


def others_share(environment: Environment, before: SystemState, after: SystemState) -> float:
    """CPU time of all other processes as a share of the usable cores' time, 0–1 or above."""
    wall = after.clock_s - before.clock_s
    busy = (after.machine_busy_s or 0) - (before.machine_busy_s or 0)
    own = after.own_busy_s - before.own_busy_s
    return max(0.0, busy - own) / (environment.cores * wall) if wall > 0 else 0.0


def _system(environment: Environment) -> Iterator[Breach]:
    if environment.bits == 32 and environment.machine in {"armv7l", "armv8l", "aarch64"}:
        yield breach(Rule.SYSTEM_32_BIT)
