"""Which trials go on, and how much is trained in all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.search.halving import Stage, best, epochs_in_all, stages, trials_in_all


def test_half_goes_on_and_then_the_finalists() -> None:
    plan = stages(16, points=10, finalists=2)
    assert plan == [Stage(4, 10), Stage(8, 5), Stage(16, 2)]
    # With the baseline: 11 trials to 4, 6 by 4 more, 3 by 8 more; two more seeds of these three.
    assert epochs_in_all(plan, seeds=3) == 11 * 4 + 6 * 4 + 3 * 8 + 2 * 3 * 16
    assert trials_in_all(plan, seeds=3) == 11 + 2 * 3


def test_few_epochs_make_fewer_stages() -> None:
    assert stages(1, points=6, finalists=2) == [Stage(1, 6)]
    assert stages(2, points=6, finalists=2) == [Stage(1, 6), Stage(2, 2)]
    assert stages(3, points=6, finalists=2) == [Stage(1, 6), Stage(3, 2)]


@given(st.integers(1, 200), st.integers(1, 40), st.integers(1, 40))
def test_epochs_rise_and_points_fall(epochs: int, points: int, finalists: int) -> None:
    plan = stages(epochs, points, finalists)
    assert plan[0].points == points
    assert plan[-1].epoch == epochs
    assert plan[-1].points == (min(finalists, points) if len(plan) > 1 else points)
    assert [one.epoch for one in plan] == sorted({one.epoch for one in plan})
    assert [one.points for one in plan] == sorted((one.points for one in plan), reverse=True)


def test_of_equal_scores_the_first_is_kept() -> None:
    assert best({"a": 0.5, "b": 0.7, "c": 0.5}, 2) == ["b", "a"]
