"""What a network takes on a board: published, estimated, or unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.scaling import scaled_variant
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.boards.estimate import latency
from edge_effnet.boards.table import BOARDS, Board

LITE0 = VARIANTS["lite0"]


def test_an_estimate_is_one_proportion() -> None:
    """MobileNetV2 in int8: 17 ms on a Pi 4, 300 million multiply-adds."""
    found = latency(BOARDS["pi4"], LITE0, "int8")
    assert found is not None
    assert found.kind == "estimate"
    assert found.latency_ms == pytest.approx(17 * cost(LITE0).macs / 300e6)
    assert found.longest_ms == pytest.approx(1.6 * found.latency_ms)
    assert "XNNPACK" in found.source.url


def test_float_takes_longer_than_int8_on_every_cpu() -> None:
    for name in ("pi3", "pi4", "pi5", "pizero2"):
        in_float, in_int8 = (
            latency(BOARDS[name], LITE0, "float"),
            latency(BOARDS[name], LITE0, "int8"),
        )
        assert in_float is not None
        assert in_int8 is not None
        assert 0.3 < in_int8.latency_ms / in_float.latency_ms < 0.4


def test_a_published_figure_stands_before_an_estimate() -> None:
    found = latency(BOARDS["coral"], VARIANTS["edgetpu-s"], "int8")
    assert found is not None
    assert (found.kind, found.latency_ms, found.longest_ms) == ("published", 5.1, 5.1)
    assert found.source.url == "https://coral.ai/docs/edgetpu/benchmarks/"


def test_dense_convolutions_give_an_upper_bound() -> None:
    found = latency(BOARDS["pi5"], VARIANTS["v2-b0"], "int8")
    assert found is not None
    assert found.kind == "estimate at most"
    assert found.longest_ms == found.latency_ms


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("b0", "nobody has shown that all its operators map"),
        ("v2-b0", "the same"),
        ("lite4", "it is larger than the memory for weights"),
    ],
)
def test_what_an_edge_tpu_makes_of_some_networks_is_not_guessed(network: str, why: str) -> None:
    assert latency(BOARDS["coral"], VARIANTS[network], "int8") is None, why


def test_an_edge_tpu_computes_nothing_in_float() -> None:
    assert latency(BOARDS["coral"], LITE0, "float") is None


def test_a_slower_clock_takes_longer() -> None:
    pi3, zero = (latency(BOARDS[name], LITE0, "int8") for name in ("pi3", "pizero2"))
    assert pi3 is not None
    assert zero is not None
    assert zero.latency_ms == pytest.approx(1.4 * pi3.latency_ms)


def test_without_figures_there_is_no_estimate() -> None:
    unknown: Board = replace(BOARDS["pi4"], figures_of=None)
    assert latency(unknown, LITE0, "int8") is None


def test_a_network_of_ones_own_is_estimated_as_well() -> None:
    small, large = (
        latency(BOARDS["pi4"], spec, "int8") for spec in (scaled_variant(-2), VARIANTS["b0"])
    )
    assert small is not None
    assert large is not None
    assert small.latency_ms < large.latency_ms
