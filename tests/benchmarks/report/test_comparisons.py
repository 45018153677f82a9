"""What a page shows of comparisons, and what it leaves out because it means nothing."""

from __future__ import annotations

import pytest

from benchmarks.report.page import render
from benchmarks.report.sources import Sources
from tests.benchmarks.report.documents import comparison_json


def test_an_image_that_is_gone_leaves_its_words() -> None:
    text = render(Sources((), (comparison_json(),), ()), title="x")
    assert "gone.jpg" in text
    assert "<img" not in text
    assert "<i>" not in text
    assert "&lt;i&gt;" in text


@pytest.mark.parametrize("key", ["mae", "exact_match"])
def test_figures_of_other_heads_are_shown_and_none_that_mean_nothing(key: str) -> None:
    models = {role: {"file": f"{role}.tflite", key: 1.25} for role in ("reference", "candidate")}
    document = comparison_json(agreement=None, flipped=[], **models)
    for meaningless in ("drop_points", "drop_interval_points"):
        document.pop(meaningless, None)
    text = render(Sources((), (document,), ()), title="x")
    assert "1.2" in text
    assert "<dt>agreement" not in text
    assert "<dt>drop" not in text
    assert "<dt>top-1" not in text


def test_all_labels_of_an_answer_are_shown() -> None:
    flip = {"file": "gone.jpg", "kind": "lost", "true": "cat, dog", "reference": "cat, dog"}
    flip |= {"reference_score": 0.9, "candidate": "cat", "candidate_score": 0.5}
    head = {"kind": "multilabel", "outputs": 2, "threshold": 0.5}
    several = comparison_json(head=head, labels=["cat", "dog"], flipped=[flip])
    assert render(Sources((), (several,), ()), title="x").count("cat, dog") == 2


def test_a_drop_from_a_reference_at_chance_is_not_shown() -> None:
    told = {"drop_points": 12.5, "drop_interval_points": [1.0, 20.0]}
    assert "12.5 points" in render(Sources((), (comparison_json(**told),), ()), title="x")
    blind = comparison_json(**told)
    blind["reference"] = {**blind["reference"], "at_chance": True}
    assert "12.5 points" not in render(Sources((), (blind,), ()), title="x")


def test_a_comparison_that_two_sources_hold_is_shown_once() -> None:
    both = (comparison_json(), {**comparison_json(), "notes": ["of bench"]})
    assert render(Sources((), both, ()), title="x").count("<h2>x against x") == 1
