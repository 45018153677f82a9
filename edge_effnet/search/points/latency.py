"""Points of equal int8 latency: multiply-adds are moved until the measured time is the budget's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from edge_effnet.architecture.files import variant_to_json
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import UsageProblem
from edge_effnet.plugins import PARTS, load
from edge_effnet.runs import StepResults, fingerprint
from edge_effnet.search.config import DEFAULT_PHI
from edge_effnet.search.points.grid import Coefficients
from edge_effnet.search.points.matching import Family, Point, baseline, family_of, match
from edge_effnet.stages import Tell
from edge_effnet.training.epochs import Interrupted

Measure = Callable[[VariantSpec], float]
"""The milliseconds of a network's int8 file."""
TRIES = 4
_NEAR = 0.05  # times repeat no better


def measure_of(
    classes: int, known: StepResults, *, stop: Callable[[], bool], tell: Tell
) -> Measure:
    """Measures on this machine, on one core; the weights are random, which time does not feel.

    Args:
        known: what was measured before, so that a search that goes on has the same points.
        stop: whether the user wants to stop; then the measure raises ``Interrupted``.
        tell: called with a sentence after each.
    """

    def measure(spec: VariantSpec) -> float:
        key = f"int8 latency, {fingerprint(variant_to_json(spec), classes)[:16]}"
        if (before := known.get(key)) is not None:
            return float(before)
        if stop():
            raise Interrupted
        found = float(load(PARTS["search --budget-latency-ms"])(spec, classes))
        known.put(key, found)
        tell(f"measured {spec.name}, {spec.resolution} px: {found:.2f} ms")
        return found

    return measure


def first_family(
    base: VariantSpec, phi: float | None, budgets: Mapping[str, float], classes: int
) -> Family:
    """Where measuring begins; arguments as ``family_within``.

    Raises:
        UsageProblem: as ``family_of``.
    """
    return family_of(base, phi if phi is not None or budgets else DEFAULT_PHI, budgets, classes)


def family_within(
    base: VariantSpec,
    phi: float | None,
    budgets: Mapping[str, float],
    classes: int,
    limit_ms: float,
    measure: Measure,
) -> tuple[Family, Point]:
    """The family whose baseline is as large as the budget of time allows, and that baseline.

    Args:
        phi: at most this; None leaves it to the budgets.

    Raises:
        UsageProblem: as ``family_of``, or nothing as fast was found.
    """
    family = first_family(base, phi, budgets, classes)
    best: tuple[Family, Point] | None = None
    for _ in range(TRIES):
        point = baseline(family)
        point = replace(point, latency_ms=(taken := measure(point.spec)))
        if taken <= limit_ms and (best is None or point.total.macs > best[1].total.macs):
            best = family, point
        enough = phi is not None and family.phi >= phi
        if taken <= limit_ms and (enough or taken >= (1 - _NEAR) * limit_ms):
            break
        macs = point.total.macs * limit_ms / taken * (1 - _NEAR / 2)
        limited = {**budgets, "macs": min(macs, budgets.get("macs", macs))}
        family = family_of(base, phi, limited, classes)
    if best is None:
        raise UsageProblem(
            "no network as fast was found",
            found=f"{taken:.2f} ms at phi {family.phi:g}, int8 on one core of this machine",
            expected=f"at most {limit_ms:g} ms",
            fix="raise --budget-latency-ms, or give a smaller --resolution",
        )
    return best


def match_in_time(
    family: Family, name: str, wanted: Coefficients, limit_ms: float, measure: Measure
) -> Point | None:
    """The point of these alpha and gamma that takes about as long as the limit, by measurement;
    ``used`` is then the share of the time."""
    best: Point | None = None
    share = 1.0
    for _ in range(TRIES):
        macs = share * family.limits["macs"]
        point = match(replace(family, limits={**family.limits, "macs": macs}), name, wanted)
        if point is None:
            break
        taken = measure(point.spec)
        used = taken / limit_ms
        if used <= 1 + _NEAR and (best is None or used > best.used):
            best = replace(point, used=used, binds="latency", latency_ms=taken)
        if abs(used - 1) <= _NEAR:
            break
        share /= used
    return best
