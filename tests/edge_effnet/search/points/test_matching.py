"""All points cost what the network of B0's own coefficients costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.scaling import BUDGETS, scaled_variant
from edge_effnet.architecture.spec import network_plan
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import UsageProblem
from edge_effnet.search.points.grid import grid
from edge_effnet.search.points.matching import (
    UNUSED,
    baseline,
    distinct,
    family_of,
    match,
    same_network,
)

B0 = VARIANTS["b0"]
SIZES = st.floats(-8, 2)


@given(SIZES, st.sampled_from([112, 224]), st.sampled_from([*grid(6)]))
@settings(max_examples=12)
def test_a_point_uses_the_cost_up_and_keeps_the_constraint(
    phi: float, side: int, name: str
) -> None:
    family = family_of(replace(B0, resolution=side), phi, {}, 10)
    point = match(family, name, grid(6)[name])
    if point is None:
        return
    assert 1 - UNUSED <= point.used <= 1
    assert point.used == pytest.approx(point.total.macs / baseline(family).total.macs)
    assert abs(point.coefficients.product - 2) <= (0.2 if abs(phi) >= 1 else 0.3)
    again = scaled_variant(phi, base=family.base, start=family.start, **vars(point.coefficients))
    assert network_plan(again) == network_plan(point.spec)
    assert again.resolution == point.spec.resolution


def test_most_points_of_the_grid_have_a_network() -> None:
    family = family_of(B0, -4, {}, 10)
    points, left_out = distinct(
        baseline(family), {name: match(family, name, one) for name, one in grid(6).items()}
    )
    assert len(points) >= 8
    assert len(points) + len(left_out) == 11
    assert points[0].name == "baseline"
    assert points[0].spec.resolution == scaled_variant(-4).resolution
    for one in points:
        assert [other.name for other in points if same_network(one, other)] == [one.name]


@given(st.floats(-0.99, 0.99), st.sampled_from([96, 224]))
@example(0.0, 224)
@example(0.0, 96)
@settings(max_examples=1)
def test_near_the_base_the_points_differ_and_cost_what_it_costs(phi: float, side: int) -> None:
    family = family_of(replace(B0, resolution=side), phi, {}, 10)
    first = baseline(family)
    base = scaled_variant(phi, base=family.base)
    assert network_plan(first.spec) == network_plan(base)
    assert first.spec.resolution == base.resolution
    assert (family.start, family.steps) == pytest.approx((phi - 4, 4))
    names = ("d1w1r4", "d1w4r1", "d3w1r2", "d4w1r1")
    points = [match(family, name, grid(6)[name]) for name in names]
    wide_images, wide, deep, deepest = [point.spec for point in points if point is not None]
    assert wide_images.resolution > 1.2 * base.resolution
    assert wide.width > 1.2 * base.width
    assert wide.depth < base.depth < deep.depth < deepest.depth
    for point in points:
        assert point is not None
        assert 1 - UNUSED <= point.total.macs / first.total.macs <= 1


@pytest.mark.parametrize(
    "budgets", [{"macs": 5e7}, {"size": 1e6}, {"memory": 5e5}, {"macs": 2e7, "size": 2e6}]
)
def test_the_baseline_is_as_large_as_the_budgets_allow(budgets: dict[str, float]) -> None:
    family = family_of(B0, None, budgets, 10)
    total = baseline(family).total
    assert all(BUDGETS[name](total) <= limit for name, limit in budgets.items())
    assert set(family.limits) == {"macs", *budgets}
    larger = cost(scaled_variant(family.phi + 0.001), classes=10)
    assert any(BUDGETS[name](larger) > limit for name, limit in budgets.items())


def test_a_budget_and_a_phi_are_both_kept() -> None:
    assert family_of(B0, -6, {"macs": 5e7}, 10).phi == -6
    assert family_of(B0, -1, {"macs": 5e7}, 10).phi < -3


def test_what_cannot_be_searched_says_why() -> None:
    with pytest.raises(UsageProblem, match=r"no network .* budget on macs.*fix: raise the budget$"):
        family_of(B0, None, {"macs": 1e6}, 10)
    with pytest.raises(UsageProblem, match="phi is out of range"):
        family_of(B0, -20, {}, 10)
    with pytest.raises(UsageProblem, match="images of this search would be too small"):
        family_of(replace(B0, resolution=32), -8, {}, 10)
