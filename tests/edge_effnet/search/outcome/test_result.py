"""What a search says of itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.search.config import SearchConfig
from edge_effnet.search.images import SearchImages
from edge_effnet.search.outcome.intervals import Estimate
from edge_effnet.search.outcome.plot import write_plots
from edge_effnet.search.outcome.report import print_search
from edge_effnet.search.outcome.result import PointResult, SearchResult, pareto_front
from edge_effnet.search.points.grid import grid
from edge_effnet.search.points.matching import baseline, family_of, match
from edge_effnet.ui.console import console

FAMILY = family_of(VARIANTS["b0"], -4, {}, 10)


def result(low: float, high: float, found: str = "d1w2r3") -> SearchResult:
    point = match(FAMILY, "d1w2r3", grid(6)["d1w2r3"])
    assert point is not None
    figure = Estimate(70.0, (66.0, 74.0), 500, 3, (69.0, 70.0, 71.0))
    points = tuple(
        PointResult(one, 8, figure, figure, seconds=1.0) for one in (baseline(FAMILY), point)
    )
    images = SearchImages(10, 1000, 500, 500, Path("searched"))
    difference = Estimate((low + high) / 2, (low, high), 500, 3, (1.0, 2.0, 3.0))
    return SearchResult(SearchConfig("photos"), FAMILY, images, points, found, "d1w2r3", difference)


@pytest.mark.parametrize(
    ("low", "high", "end"),
    [
        (0.4, 3.6, "is right 2.0 points more often .* it beats B0's coefficients."),
        (-3.6, -0.4, "is right 2.0 points less often .* B0's coefficients are better."),
        (-1.0, 3.0, "95 % interval -1.0 to \\+3.0; 3 seeds, paired.: no difference shown."),
    ],
)
def test_the_last_sentence_says_what_is_shown(low: float, high: float, end: str) -> None:
    sentence = result(low, high).sentence
    assert sentence.startswith("On the 500 images that nothing was chosen on, d1w2r3 (alpha 1.11")
    assert re.search(end, sentence), sentence


def test_b0s_coefficients_may_be_the_result() -> None:
    sentence = result(-1.0, 1.0, found="baseline").sentence
    assert sentence.startswith("B0's own coefficients were right as often or more")


def test_a_measured_latency_is_in_the_table_and_has_a_plot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = result(-1.0, 1.0)
    points = tuple(
        replace(one, point=replace(one.point, latency_ms=1.5 + number))
        for number, one in enumerate(plain.points)
    )
    for each, plots in ((plain, 2), (replace(plain, points=points), 3)):
        write_plots(each, tmp_path, say=print)
        assert len(list(tmp_path.glob("accuracy-*.png"))) == plots
        print_search(console(), each, tmp_path)
        out = capsys.readouterr().out
        assert ("int8 latency" in out) == ("1.50 ms" in out) == each.timed == (plots == 3)


def test_on_the_front_is_what_no_other_beats() -> None:
    points = {"a": (1.0, 60.0), "b": (2.0, 60.0), "c": (2.0, 70.0), "d": (3.0, 65.0)}
    assert pareto_front(points) == {"a", "c"}
