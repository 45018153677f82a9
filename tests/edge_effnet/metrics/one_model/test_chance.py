"""What counts as "no better than chance", and that no reason is named without its evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from edge_effnet.metrics import summarize
from edge_effnet.metrics.one_model.chance import cause_of_chance, no_association
from edge_effnet.metrics.one_model.classification import chance_percent
from edge_effnet.metrics.one_model.rare_classes import _tail
from tests.edge_effnet.metrics.one_model.test_classification import predictions_of

NAMES = [f"class {index}" for index in range(1000)]
ORDER, PIXELS = "labels are in another order", "most likely the images are prepared otherwise"

seeds = st.integers(0, 2**32 - 1)


def images_of(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


def as_labels(classes: np.ndarray, count: int) -> np.ndarray:
    """The same as several labels, of which one is true."""
    return np.eye(count, dtype=bool)[classes]


unbalanced = st.lists(st.integers(2, 60), min_size=2, max_size=8).filter(lambda n: sum(n) >= 20)


@given(unbalanced)
@example([98, 2])
@example([50, 50])
def test_all_right_is_never_chance(counts: list[int]) -> None:
    truth = images_of(*counts)
    assert not no_association(truth, truth)
    labels = as_labels(truth, len(counts))
    assert not no_association(labels, labels)
    assert not summarize(predictions_of(np.eye(len(counts))[truth], truth)).at_chance


@given(unbalanced, st.data())
@example([98, 2], None)
def test_one_answer_to_everything_is_chance_and_no_matter_of_names(
    counts: list[int], data: st.DataObject | None
) -> None:
    """Also 95 % "accuracy" of a model that has learned nothing but the commonest class."""
    said = data.draw(st.integers(0, len(counts) - 1)) if data else 0
    truth = images_of(*counts)
    answers = np.full(len(truth), said)
    for ours, theirs in ((answers, truth), (as_labels(answers, 8), as_labels(truth, 8))):
        assert no_association(ours, theirs)
        cause = cause_of_chance(ours, theirs, NAMES)
        assert f"'class {said}' to 100 % of them" in cause
        assert PIXELS in cause
        assert ORDER not in cause


@given(unbalanced, st.data())
@example([98, 2], None)
def test_exchanged_labels_are_chance_and_are_named(
    counts: list[int], data: st.DataObject | None
) -> None:
    """Every answer right, under another name: the worst accuracy, the best association."""
    turn = data.draw(st.integers(1, len(counts) - 1)) if data else 1
    truth = images_of(*counts)
    answers = (truth + turn) % len(counts)
    assert no_association(answers, truth)
    cause = cause_of_chance(answers, truth, NAMES)
    assert ORDER in cause
    assert "renamed 100 % would be right" in cause
    labels, turned = as_labels(truth, len(counts)), as_labels(answers, len(counts))
    if len(counts) > 2:  # of two exchanged labels each decision is wrong, of many most are right
        assert no_association(turned, labels)
    assert "renamed 100 % of the labels would be found" in cause_of_chance(turned, labels, NAMES)


def test_blind_answers_are_chance_nineteen_times_in_twenty() -> None:
    """The level of the test, on unbalanced classes, with answers as unbalanced."""
    random = np.random.default_rng(0)
    truth = images_of(180, 15, 5)
    blind = [random.permutation(truth) for _ in range(300)]
    found = [no_association(answers, truth) for answers in blind]
    assert 0.9 <= np.mean(found) <= 0.99
    causes = {
        cause_of_chance(answers, truth, NAMES)
        for answers, chance in zip(blind, found, strict=True)
        if chance
    }
    assert not any(cause.startswith(f"most likely the {ORDER}") for cause in causes)


@pytest.mark.parametrize("right", range(12, 21))
def test_few_images_do_not_prove_chance(right: int) -> None:
    """14 right of 20 are within reach of blind answers, and of a model that is right on 80 %."""
    truth = images_of(10, 10)
    order = np.arange(20).reshape(2, 10).T.ravel()  # mistakes in both classes
    answers = truth.copy()
    answers[order[: 20 - right]] ^= 1
    assert not no_association(answers, truth)


def test_a_rare_class_found_by_a_generous_model_is_no_sign_of_chance() -> None:
    """Both rare images found, 38 others taken for them: two images carry neither verdict."""
    truth, answers = images_of(98, 2), images_of(60, 40)
    assert not no_association(answers, truth)


def test_nothing_is_said_where_nothing_can_be_known() -> None:
    wrong = np.ones(100, np.int64)
    assert not no_association(wrong, np.zeros(100, np.int64)), "one class only"
    assert not no_association(images_of(9, 10), images_of(10, 9)), "fewer than 20 images"
    assert not no_association(np.zeros(20, np.int64), images_of(20)), "nothing to tell apart"
    # One image of 19: by luck all answers are right in one of 19 orders, of 25 in one of 25.
    assert not no_association(np.zeros(19, np.int64), images_of(18, 1))
    assert no_association(np.zeros(25, np.int64), images_of(24, 1))


def test_each_reason_has_its_evidence() -> None:
    random = np.random.default_rng(3)
    truth = np.repeat(np.arange(5), 20)
    noisy = np.where(random.random(100) < 0.8, (truth + 1) % 5, random.integers(0, 5, 100))
    little = np.where(random.random(100) < 0.3, (truth + 1) % 5, random.integers(0, 5, 100))
    for answers, first, why in (
        (random.integers(0, 5, 100), "--preprocess", "in no order of the labels"),  # blind
        ((truth + 1) % 5, "--labels", "renamed 100 % would be right"),
        (noisy, "--labels", "renamed 8"),  # labels in another order: worse than blind
        (little, "--preprocess", "a little, under other names"),
        (np.full(100, 2), "--preprocess", "'class 2' to 100 % of them"),
    ):
        report = summarize(predictions_of(np.eye(5)[answers], truth))
        assert report.at_chance
        (warning,) = report.warnings
        assert why in warning
        assert warning.index(first) == min(
            warning.index(flag) for flag in ("--labels", "--preprocess") if flag in warning
        )


def test_with_one_image_of_each_class_renaming_proves_nothing() -> None:
    """Every answer could be its image's class under another name: so it is with blind ones."""
    truth = np.arange(50)
    random = np.random.default_rng(0)
    for answers in ((truth + 1) % 50, random.integers(0, 50, 50)):
        report = summarize(predictions_of(np.eye(50)[answers], truth))
        assert report.at_chance
        assert "cannot be told" in report.warnings[0]


def test_a_quarter_right_of_two_classes_may_be_renamed_or_luck() -> None:
    """5 right of 20: 15 under exchanged names, which luck gives too."""
    truth = images_of(10, 10)
    answers = np.where(np.arange(20) % 4 == 0, truth, 1 - truth)
    assert no_association(answers, truth)
    assert "cannot be told" in cause_of_chance(answers, truth, NAMES)


def test_expected_of_blind_answers() -> None:
    truth = images_of(95, 5)
    assert chance_percent(np.zeros(100, np.int64), truth, 2) == 95


@given(st.integers(1, 60), st.data())
def test_the_tail_as_scipy_has_it(total: int, data: st.DataObject) -> None:
    drawn, marked = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    at_least = data.draw(st.integers(0, drawn))
    expected = stats.hypergeom.sf(at_least - 1, total, marked, drawn)
    assert _tail(at_least, drawn, marked, total) == pytest.approx(expected, rel=1e-7, abs=1e-12)
