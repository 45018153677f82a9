"""Compound scaling: one number φ makes a network larger or smaller in all three dimensions.

    depth d = α^φ, width w = β^φ, resolution r = γ^φ, with α · β² · γ² ≈ 2,

so that multiply-adds grow by about 2^φ (EfficientNet, arXiv:1905.11946, equation 3).

B1–B7 are published and are not α^φ: B1 has 240 px, while φ = 1 gives 257. This module is
the formula's own family; the published variants are in ``variants.VARIANTS``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge_effnet.architecture.cost import Cost, cost
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import UsageProblem

ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15
# The published constants give 1.92; more than a tenth off 2 is no compound scaling.
CONSTRAINT_TOLERANCE = 0.2
# Of growth that begins below the base: B0's repeats are whole numbers, any more depth gives every
# stage one block more (23, not 16), and the other two make up for that.
TOLERANCE_FROM_BELOW = 0.3
# γ^-12 leaves 41 px and one block per stage; above 14 no machine trains it (B7 is near 7).
PHI_MIN, PHI_MAX = -12.0, 14.0
STEPS = 1000  # the search looks at φ in thousandths


def scaled_variant(
    phi: float,
    *,
    base: VariantSpec | None = None,
    alpha: float = ALPHA,
    beta: float = BETA,
    gamma: float = GAMMA,
    start: float = 0.0,
) -> VariantSpec:
    """The member φ of a family; φ = 0 is ``base`` (B0), negative φ is smaller.

    Resolution is rounded down, channels and repeats as published.

    Args:
        start: the φ at which growth by ``alpha``, ``beta`` and ``gamma`` begins: the published
            coefficients lead from the base to there, so that d = 1.2^start · α^(φ - start).

    Raises:
        UsageProblem: φ out of range, or α·β²·γ² is not near 2.
    """
    constraint = alpha * beta**2 * gamma**2
    tolerance = constraint_tolerance(start)
    if abs(constraint - 2) > tolerance:
        raise UsageProblem(
            "alpha · beta² · gamma² must be near 2",
            found=f"{constraint:.3f}",
            expected=f"within {tolerance} of 2",
            fix=f"use the published {ALPHA}, {BETA}, {GAMMA}",
        )
    if not PHI_MIN <= phi <= PHI_MAX:
        raise UsageProblem(
            "phi is out of range",
            found=f"{phi:g}",
            expected=f"{PHI_MIN:g} to {PHI_MAX:g}",
            fix="choose a smaller step",
        )
    base = base or VARIANTS["b0"]
    if phi == start == 0:
        return base

    def factor(own: float, published: float) -> float:
        # published^start · own^(phi - start); own = published leaves published^phi, to the bit
        return float(own**phi * (own / published) ** -start)

    return replace(
        base,
        name=f"{base.name}-phi{phi:+g}",
        width=base.width * factor(beta, BETA),
        depth=base.depth * factor(alpha, ALPHA),
        resolution=math.floor(base.resolution * factor(gamma, GAMMA)),
        # Larger networks overfit more: the published variants go from 0.2 (B0) to 0.5 (B7).
        dropout=min(0.5, max(0.0, base.dropout + 0.04 * phi)),
        official_weights=None,
        published=None,
    )


def constraint_tolerance(start: float) -> float:
    """By how much α · β² · γ² may differ from 2, see ``scaled_variant``."""
    return CONSTRAINT_TOLERANCE if start == 0 else TOLERANCE_FROM_BELOW


# budget name -> what it is compared with
BUDGETS = {
    "macs": lambda total: total.macs,
    "params": lambda total: total.parameters,
    "size": lambda total: total.int8_bytes,
    "memory": lambda total: total.peak_activations,
}


@dataclass(frozen=True)
class Fit:
    """The largest network within budgets.

    Attributes:
        binding: the budgets that the network a thousandth of φ larger breaks; empty at PHI_MAX.
    """

    spec: VariantSpec
    phi: float
    total: Cost
    binding: tuple[str, ...]


def largest_within(
    budgets: Mapping[str, float], *, base: VariantSpec | None = None, classes: int = 1000
) -> Fit:
    """Find the largest φ whose network keeps every budget.

    All four costs grow with φ in steps, because channels, repeats and pixels are whole
    numbers; bisection over thousandths of φ finds the last one that fits.

    Args:
        budgets: any of ``macs``, ``params``, ``size`` (int8 file, bytes), ``memory`` (peak
            int8 activations, bytes).

    Raises:
        UsageProblem: not even the smallest network fits.
    """

    def broken(phi: float) -> tuple[str, ...]:
        total = cost(scaled_variant(phi, base=base), classes=classes)
        return tuple(name for name, limit in budgets.items() if BUDGETS[name](total) > limit)

    if binding := broken(PHI_MIN):
        total = cost(scaled_variant(PHI_MIN, base=base), classes=classes)
        name = binding[0]
        raise UsageProblem(
            f"no network of the family keeps the budget on {name}",
            found=f"{BUDGETS[name](total):,} at the smallest (phi {PHI_MIN:g})",
            expected=f"at most {budgets[name]:,.0f}",
            fix="raise the budget" + (" or give fewer --classes" if name != "macs" else ""),
        )
    low, high = round(PHI_MIN * STEPS), round(PHI_MAX * STEPS)
    binding = broken(PHI_MAX)
    if not binding:
        low = high
    while high - low > 1:
        middle = (low + high) // 2
        if failing := broken(middle / STEPS):
            high, binding = middle, failing
        else:
            low = middle
    spec = scaled_variant(low / STEPS, base=base)
    return Fit(spec, low / STEPS, cost(spec, classes=classes), binding)
