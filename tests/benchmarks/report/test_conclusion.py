"""What the page begins with, and the advice that each comparison ends in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.report.conclusion import conclusions
from benchmarks.report.page import render
from benchmarks.report.sources import Sources
from benchmarks.results.result import Result
from edge_effnet.measure.validity import Remark, Validity
from tests.benchmarks.conftest import MakeResult
from tests.benchmarks.report.documents import comparison_json
from tests.benchmarks.results.test_results import around


def first_words(*comparisons: dict[str, Any], result: Result | None = None) -> tuple[str, str]:
    found = conclusions(Sources((result,) if result else (), comparisons, ()))[0]
    return found.tone, found.text


def test_the_page_begins_with_what_to_do(make_result: MakeResult) -> None:
    result = make_result({"float": around(4), "int8": around(2)})
    tone, text = first_words(result=result)
    assert tone == "good"
    assert text.startswith("Use int8: 2.0 times as fast as float")
    assert "--data" in text
    assert first_words(result=make_result({"a": around(4), "b": around(4, 1)}))[0] == "open"
    assert "250 a second" in first_words(result=make_result({"a": around(4)}))[1]
    models = [{"sha256": f"{place:064x}", "top1": 80.0 - place} for place in range(2)]
    worse = {"candidate": {"sha256": f"{1:064x}"}, "drop_interval_points": [0.5, 1.5]}
    accuracy = {"models": models, "comparisons": [worse]}
    assert first_words(result=result.with_accuracy(accuracy))[1].startswith("Keep float")
    noisy = Validity((Remark("load", True, "other programs used 40 % of the CPU", "stop them"),))
    tone, text = first_words(result=replace(result, verdict=noisy))
    assert tone == "bad"
    assert "other programs used 40 % of the CPU; stop them." in text
    page = render(Sources((result,), (), ()), title="x")
    assert page.index("Use int8") < page.index("<main>") < page.index("<h2>")


@pytest.mark.parametrize(
    ("told", "tone", "words"),
    [
        ({"drop_points": 0.1, "drop_interval_points": [-0.2, 0.4]}, "good", "can replace x"),
        ({"drop_points": 9.0, "drop_interval_points": [5.0, 13.0]}, "bad", "--max-drop"),
        (
            {"drop_points": 0.0, "drop_interval_points": [-3.0, 3.0], "images_to_prove": 559},
            "open",
            "about 559 images would exclude one of 1 point",
        ),
        ({}, "open", "only labels can tell"),
        (
            {"drop_points": -9.0, "drop_interval_points": [-13.0, -5.0]},
            "good",
            "x is more accurate than x by 9.0 points (5.0 to 13.0).",
        ),
        (
            {"drop_points": -9.0, "camera": {}},
            "open",
            "of 4 frames, and is 9.0 points more accurate than x there; too few scenes",
        ),
        (
            {"trained_on": {"line": "trained on 1 of 5", "is_evidence": True}},
            "open",
            "only labels can tell",
        ),
        ({"value_difference": {"mean_abs": 0.25}}, "open", "differs from x by 0.25"),
        ({"trained_on": {"line": "it was trained on them"}}, "bad", "other images"),
    ],
)
def test_a_comparison_ends_in_advice(told: dict[str, Any], tone: str, words: str) -> None:
    found, text = first_words(comparison_json(**told))
    assert found == tone
    assert words in text
