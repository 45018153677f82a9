"""Equal latency, with a clock that counts multiply-adds and punishes depth."""

from __future__ import annotations

import pytest

from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import UsageProblem
from edge_effnet.search.points.grid import grid
from edge_effnet.search.points.latency import family_within, match_in_time

B0 = VARIANTS["b0"]


def milliseconds(spec: VariantSpec) -> float:
    return cost(spec, classes=10).macs / 1e7 + 0.1 * len(network_plan(spec).blocks)


def test_points_take_as_long_as_the_baseline() -> None:
    family, first = family_within(B0, None, {}, 10, 4.0, milliseconds)
    assert first.latency_ms is not None
    assert 3.5 <= first.latency_ms <= 4.0
    for name in ("d2w2r2", "d1w3r2"):
        point = match_in_time(family, name, grid(6)[name], first.latency_ms, milliseconds)
        assert point is not None
        assert point.binds == "latency"
        assert point.latency_ms == pytest.approx(first.latency_ms, rel=0.1)


def test_phi_is_not_exceeded_where_time_is_left() -> None:
    family, first = family_within(B0, -4, {}, 10, 1000.0, milliseconds)
    assert family.phi == -4
    assert first.latency_ms == milliseconds(first.spec)


def test_a_time_that_nothing_keeps_is_refused() -> None:
    with pytest.raises(UsageProblem, match="no network"):
        family_within(B0, None, {}, 10, 0.01, milliseconds)
