"""The coefficients that are tried (EfficientNet, arXiv:1905.11946, section 3.3)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from edge_effnet.architecture.scaling import ALPHA, BETA, GAMMA

BASELINE_NAME = "baseline"
LEAST_FINENESS, MOST_FINENESS = 4, 12


@dataclass(frozen=True)
class Coefficients:
    """Depth grows as alpha^phi, width as beta^phi, resolution as gamma^phi."""

    alpha: float
    beta: float
    gamma: float

    @property
    def product(self) -> float:
        """alpha · beta² · gamma²: what one step of phi multiplies the multiply-adds by."""
        return self.alpha * self.beta**2 * self.gamma**2


BASELINE = Coefficients(ALPHA, BETA, GAMMA)
"""B0's own: the published ones."""


def grid(fineness: int) -> dict[str, Coefficients]:
    """The points of the grid, by name; all have the product of B0's own.

    The logarithm of the product is divided among depth, width and resolution in ``fineness`` equal
    parts, of which each gets one at least: of 6 parts, ``d1w2r3`` gives depth one, width two and
    resolution three. That makes 3 points of 4 parts, 6 of 5, 10 of 6, 15 of 7.
    """
    product = BASELINE.product
    found = {}
    for depth, width in itertools.product(range(1, fineness), repeat=2):
        resolution = fineness - depth - width
        if resolution >= 1:
            found[f"d{depth}w{width}r{resolution}"] = Coefficients(
                product ** (depth / fineness),
                product ** (width / fineness / 2),
                product ** (resolution / fineness / 2),
            )
    return found


def points_of(fineness: int) -> int:
    """How many points ``grid`` has."""
    return (fineness - 1) * (fineness - 2) // 2
