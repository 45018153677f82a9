"""The network to take for a board."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_effnet.boards.recommend import recommend
from edge_effnet.boards.table import BOARDS


@pytest.mark.parametrize(
    ("board", "variant"),
    [("pi5", "lite2"), ("pi4", "lite2"), ("pi3", "lite1"), ("pizero2", "lite0")],
)
def test_ten_answers_a_second(board: str, variant: str) -> None:
    found = recommend(BOARDS[board])
    assert found.variant == variant
    assert found.fps is not None
    assert found.fps > 10
    assert "the most accurate of lite0, lite1, lite2" in found.reason
    assert "1.6 times as long as estimated" in found.reason


def test_more_time_allows_a_larger_network_and_less_a_smaller_one() -> None:
    assert recommend(BOARDS["pizero2"], fps=2).variant == "lite2"
    assert recommend(BOARDS["pi4"], fps=25).variant == "lite0"


def test_where_none_is_fast_enough_the_fastest_is_said_to_be_unsure() -> None:
    found = recommend(BOARDS["pizero2"], fps=30)
    assert found.variant == "lite0"
    assert "is not sure" in found.reason


def test_teach_finds_lite0_by_itself_and_is_given_the_others() -> None:
    assert recommend(BOARDS["pizero2"]).base is None
    assert recommend(BOARDS["pi5"]).base == (
        "edge-effnet convert --variant lite2 --int8 --calibration photos/"
    )


def test_an_edge_tpu_is_taught_on_a_file_that_was_compiled_for_it() -> None:
    base = recommend(BOARDS["coral"]).base
    assert base is not None
    assert "--edgetpu --teachable" in base


def test_without_figures_the_smallest_is_taken_and_measured() -> None:
    found = recommend(replace(BOARDS["pi4"], figures_of=None))
    assert (found.variant, found.latency, found.fps) == ("lite0", None, None)
    assert "edge-effnet bench" in found.reason
