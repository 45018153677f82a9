"""Networks of equal cost: width is fitted so that every point uses up the budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge_effnet.architecture.cost import Cost, cost
from edge_effnet.architecture.scaling import (
    BUDGETS,
    GAMMA,
    PHI_MAX,
    constraint_tolerance,
    largest_within,
    scaled_variant,
)
from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.errors import UsageProblem
from edge_effnet.search.points.grid import BASELINE, BASELINE_NAME, Coefficients

NEAR_BASE = 1.0
"""Nearer to phi 0 than this, ``alpha ** phi`` is nearly 1 for every alpha."""
STEPS_FROM_BELOW = 4
"""So many steps of growth lead to such a phi: fewer differ in too little, more in too much."""
LEAST_SIDE = 16  # pixels; the trainer takes no fewer
UNUSED = 0.05
"""A point may leave this share of the budget unused; it never exceeds it."""
_CLOSE = 0.01  # nearer need not be looked for
_SIDE_SHARE = 0.06  # by which the resolution may differ from its coefficient's
_HALVINGS = 16


@dataclass(frozen=True)
class Point:
    """A network of the search.

    Attributes:
        name: ``baseline``, or how depth, width and resolution share the growth: ``d1w2r3``.
        coefficients: as fitted: ``scaled_variant`` makes this network of them.
        used: of the limit that binds, the share that the network uses.
        binds: the name of that limit.
        latency_ms: int8, measured here; None where no budget is in milliseconds.
    """

    name: str
    coefficients: Coefficients
    spec: VariantSpec
    total: Cost
    used: float
    binds: str
    latency_ms: float | None = None


@dataclass(frozen=True)
class Family:
    """What all points share.

    Attributes:
        limits: on ``macs``, ``size`` (int8 bytes) and ``memory`` (peak int8 activations, bytes).
    """

    base: VariantSpec
    phi: float
    classes: int
    limits: Mapping[str, float]

    @property
    def start(self) -> float:
        """The phi at which growth by a point's own coefficients begins.

        That of the base, 0; but near to it the growth of a whole network, as that of the paper's
        grid, begins ``STEPS_FROM_BELOW`` steps below with the network of B0's coefficients.
        """
        return self.phi - STEPS_FROM_BELOW if abs(self.phi) < NEAR_BASE else 0.0

    @property
    def steps(self) -> float:
        """Of growth by a point's own coefficients; negative where the network shrinks."""
        return self.phi - self.start

    def member(self, name: str, coefficients: Coefficients) -> Point:
        """The network of these coefficients, whatever it costs.

        Raises:
            UsageProblem: alpha · beta² · gamma² is not near 2, or a value no network can have.
        """
        spec = scaled_variant(
            self.phi,
            base=self.base,
            alpha=coefficients.alpha,
            beta=coefficients.beta,
            gamma=coefficients.gamma,
            start=self.start,
        )
        spec = replace(spec, name=f"{self.base.name}-{name}-phi{self.phi:+g}")
        total = cost(spec, classes=self.classes)
        used, binds = max((BUDGETS[key](total) / limit, key) for key, limit in self.limits.items())
        return Point(name, coefficients, spec, total, used, binds)


def family_of(
    base: VariantSpec, phi: float | None, budgets: Mapping[str, float], classes: int
) -> Family:
    """The family in which B0's coefficients use up what is asked for.

    Args:
        phi: at most this; None leaves it to the budgets.
        budgets: on any of ``macs``, ``size`` and ``memory``, see ``Family``. What the network of
            B0's coefficients costs, which keeps them, is the limit of every point, so that all
            cost the same; its multiply-adds are one in any case, or else resolution would grow
            for nothing where size alone is limited.

    Raises:
        UsageProblem: no network keeps the budgets, phi is out of range, or images too small.
    """
    if budgets:
        phi = min(PHI_MAX if phi is None else phi, _largest_phi(base, budgets, classes))
    assert phi is not None  # noqa: S101 (given, or from the budgets)
    side = scaled_variant(phi, base=base).resolution
    if side < LEAST_SIDE:
        raise UsageProblem(
            "the images of this search would be too small",
            found=f"{side} px at phi {phi:g}",
            expected=f"{LEAST_SIDE} px or more",
            fix="give a larger --phi or --resolution",
        )
    total = cost(scaled_variant(phi, base=base), classes=classes)
    limited = dict.fromkeys(("macs", *budgets))
    return Family(base, phi, classes, {name: float(BUDGETS[name](total)) for name in limited})


def _largest_phi(base: VariantSpec, budgets: Mapping[str, float], classes: int) -> float:
    try:
        return largest_within(budgets, base=base, classes=classes).phi
    except UsageProblem as error:
        raise UsageProblem(
            error.what, found=error.found, expected=error.expected, fix="raise the budget"
        ) from error


def baseline(family: Family) -> Point:
    """The network of B0's own coefficients: it uses up every limit."""
    return family.member(BASELINE_NAME, BASELINE)


def match(family: Family, name: str, wanted: Coefficients) -> Point | None:
    """The point of these alpha and gamma whose beta uses up the budgets.

    Beta is searched as far as alpha · beta² · gamma² stays near 2; channels go in steps of 8, so
    the resolution is moved by a few per cent as well where that comes nearer.

    Returns:
        The point that uses most of the budget, 95 % or more and never more than all of it; None
        where there is none.
    """
    best: Point | None = None
    for gamma in _gammas(family, wanted.gamma):
        found = _widest(family, name, wanted.alpha, gamma)
        if found is not None and (best is None or found.used > best.used):
            best = found
        if best is not None and best.used >= 1 - _CLOSE:
            break
    return best if best is not None and best.used >= 1 - UNUSED else None


def _gammas(family: Family, wanted: float) -> list[float]:
    """Gammas of the wanted resolution and its neighbours, the nearest first."""
    start = family.base.resolution * GAMMA**family.start
    side = int(start * wanted**family.steps)
    reach = max(1, round(_SIDE_SHARE * side))
    steps = [0, *(sign * step for step in range(1, reach + 1) for sign in (1, -1))]
    sides = [side + step for step in steps if side + step >= LEAST_SIDE]
    # Half a pixel more, so that rounding down gives this side and no other.
    return [
        wanted if one == side else float(((one + 0.5) / start) ** (1 / family.steps))
        for one in sides
    ]


def _widest(family: Family, name: str, alpha: float, gamma: float) -> Point | None:
    """The widest network within the budgets, by bisection over beta; None where none is."""

    def member(beta: float) -> Point:
        return family.member(name, Coefficients(alpha, beta, gamma))

    # Just inside of what scaled_variant takes.
    reach = constraint_tolerance(family.start) - 1e-6
    betas = [math.sqrt((2 + sign * reach) / (alpha * gamma**2)) for sign in (-1, 1)]
    narrow, wide = betas if family.steps > 0 else betas[::-1]
    found = member(narrow)
    if found.used > 1:
        return None
    if (last := member(wide)).used <= 1:
        return last
    for _ in range(_HALVINGS):
        middle = (narrow + wide) / 2
        if (tried := member(middle)).used <= 1:
            narrow, found = middle, tried
        else:
            wide = middle
    return found


def same_network(one: Point, other: Point) -> bool:
    """Whether two points are one network."""
    return one.spec.resolution == other.spec.resolution and network_plan(one.spec) == network_plan(
        other.spec
    )


def distinct(first: Point, found: Mapping[str, Point | None]) -> tuple[list[Point], list[str]]:
    """The baseline and the points that are networks of their own, and what is said of the others.

    Args:
        first: the baseline.
        found: what was made of each point of the grid; None where nothing was.
    """
    kept, left_out = [first], []
    for name, point in found.items():
        if point is None:
            left_out.append(
                f"{name}: no network of these coefficients costs what B0's do, to "
                f"{100 * UNUSED:.0f} %"
            )
        elif twin := next((one for one in kept if same_network(one, point)), None):
            left_out.append(f"{name}: at this size it is the network of {twin.name}")
        else:
            kept.append(point)
    return kept, left_out
