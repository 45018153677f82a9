"""Widths: the budget is kept, the cheapest loss is paid, the impossible is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.pruning.selection.allocation import (
    Budget,
    SensitivityCurve,
    WidthLimits,
    measured_widths,
    narrowest,
    uniform_widths,
)
from converters.pruning.selection.groups import channel_groups, narrowed
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import UsageProblem

V2 = VARIANTS["v2-b0"]
WHOLE = {name: group.width for name, group in channel_groups(V2).items()}


def limits(multiple: int = 8) -> WidthLimits:
    return WidthLimits(multiple, WHOLE)


def budget(share: float, measure: str = "macs") -> Budget:
    whole = Budget(measure, 0, classes=10, resolution=128)
    return Budget(measure, share * whole.of(V2), classes=10, resolution=128)


def curve(width: int, price: float) -> SensitivityCurve:
    """Loss in proportion to the channels that leave."""
    return SensitivityCurve((width, width // 2), (0.0, price), tuple(np.arange(width + 1.0)))


def test_a_curve_follows_the_importance_between_measured_widths() -> None:
    # Of four channels the last two to leave carry almost everything.
    importance = (0.0, 0.1, 0.2, 5.0, 10.0)
    seen = SensitivityCurve((4, 2, 1), (0.0, 0.4, 4.0), importance)
    assert seen.at(4) == 0
    assert seen.at(3) == pytest.approx(0.2)
    assert seen.at(2) == pytest.approx(0.4)
    assert seen.at(1) == pytest.approx(4.0)


def test_a_narrower_group_never_costs_less() -> None:
    noisy = SensitivityCurve((8, 4, 2), (0.0, 0.5, 0.3), tuple(np.arange(9.0)))
    assert noisy.at(2) == noisy.at(4) == 0.5


@settings(max_examples=6)
@given(
    share=st.floats(0.25, 0.95),
    measure=st.sampled_from(["macs", "params", "size"]),
    multiple=st.sampled_from([8, 16]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_way_keeps_the_budget_in_whole_multiples(
    share: float, measure: str, multiple: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    curves = {name: curve(width, rng.uniform(0.01, 1)) for name, width in WHOLE.items()}
    wanted = budget(share, measure)
    for widths in (
        measured_widths(V2, curves, wanted, limits(multiple)),
        uniform_widths(V2, wanted, limits(multiple)),
    ):
        assert wanted.keeps(narrowed(V2, widths))
        assert all(width % multiple == 0 and width < WHOLE[name] for name, width in widths.items())


def test_what_is_cheap_goes_first() -> None:
    curves = {name: curve(width, 1.0) for name, width in WHOLE.items()}
    curves["block6c_expand"] = curve(WHOLE["block6c_expand"], 1e-6)
    widths = measured_widths(V2, curves, budget(0.99), limits())
    assert set(widths) == {"block6c_expand"}


def test_time_follows_where_late_channels_are_the_least_missed() -> None:
    """Multiply-adds alone would all be saved in the late blocks, and hardly any time."""
    late = ("block5", "block6")
    curves = {
        name: curve(width, 1e-6 if name.startswith(late) else 1.0) for name, width in WHOLE.items()
    }
    counted = budget(0.7)
    timed = replace(counted, time=0.76 * counted.saving(V2))
    slow = narrowed(V2, measured_widths(V2, curves, counted, limits()))
    quick = narrowed(V2, measured_widths(V2, curves, timed, limits()))
    assert counted.keeps(slow)
    assert not timed.pays(slow)
    assert timed.keeps(quick)
    assert timed.pays(quick)


def test_each_cut_takes_as_much_of_what_the_one_before_left() -> None:
    whole = budget(1)
    last = replace(budget(0.49), time=0.64 * whole.saving(V2))
    first = last.part(V2, 1 / 2)
    assert first.limit == pytest.approx(0.7 * whole.limit)
    assert first.time == pytest.approx(0.8 * whole.saving(V2))
    assert last.part(V2, 1) == last


def test_uniform_takes_the_same_share_everywhere() -> None:
    widths = uniform_widths(V2, budget(0.5), limits())
    shares = [width / WHOLE[name] for name, width in widths.items() if WHOLE[name] > 300]
    assert max(shares) - min(shares) < 0.03


def test_an_unreachable_target_names_the_best_and_what_binds() -> None:
    with pytest.raises(UsageProblem, match=r"v2-b0 cannot be pruned to .* multiply-adds") as said:
        measured_widths(V2, {}, budget(0.001), limits())
    assert "binds, with" in str(said.value)
    assert "a target of at least 0." in str(said.value)


def test_what_only_the_least_network_keeps_is_kept() -> None:
    """Squeezes are not measured for multiply-adds; the last of them is theirs all the same."""
    groups = channel_groups(V2)
    curves = {name: curve(WHOLE[name], 1.0) for name in groups if groups[name].role != "squeeze"}
    least = budget(1).of(narrowed(V2, narrowest(V2, limits())))
    wanted = replace(budget(1), limit=least)
    for widths in (
        measured_widths(V2, curves, wanted, limits()),
        uniform_widths(V2, wanted, limits()),
    ):
        assert wanted.of(narrowed(V2, widths)) == least


def test_a_second_cut_keeps_the_floor_of_the_first_network() -> None:
    half = narrowed(V2, {name: max(8, width // 16 * 8) for name, width in WHOLE.items()}, "half")
    groups = channel_groups(half)
    assert limits().floor(groups["block6c_expand"]) == WHOLE["block6c_expand"] // 8
