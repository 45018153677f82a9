"""The grid divides one growth among depth, width and resolution."""

from __future__ import annotations

import pytest

from edge_effnet.search.points.grid import BASELINE, grid, points_of


@pytest.mark.parametrize(("fineness", "count"), [(4, 3), (5, 6), (6, 10), (7, 15)])
def test_a_finer_grid_has_more_points(fineness: int, count: int) -> None:
    assert len(grid(fineness)) == points_of(fineness) == count


def test_every_point_keeps_the_constraint_and_grows_in_all_three() -> None:
    for one in grid(7).values():
        assert one.product == pytest.approx(BASELINE.product)
        assert min(one.alpha, one.beta, one.gamma) > 1


def test_a_name_says_how_the_growth_is_shared() -> None:
    points = grid(6)
    assert points["d4w1r1"].alpha == max(one.alpha for one in points.values())
    assert points["d1w4r1"].beta == max(one.beta for one in points.values())
    assert points["d1w1r4"].gamma == max(one.gamma for one in points.values())


def test_b0s_own_coefficients_are_near_two_parts_of_seven_for_depth_and_width() -> None:
    near = grid(7)["d2w2r3"]
    assert near.alpha == pytest.approx(BASELINE.alpha, rel=0.01)
    assert near.beta == pytest.approx(BASELINE.beta, rel=0.01)
    assert near.gamma == pytest.approx(BASELINE.gamma, rel=0.01)
