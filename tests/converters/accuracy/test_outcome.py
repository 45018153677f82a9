"""Which file is taken of those tried, and what is said where no int8 file fits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from converters.accuracy.checks import Check, LimitVerdict
from converters.accuracy.limits import Limits
from converters.accuracy.outcome import (
    SearchOutcome,
    choose,
    training_is_for_noise,
    unproven_text,
)
from converters.accuracy.strategies import FALLBACKS, STRATEGIES, Strategy
from converters.accuracy.trials import Trial
from converters.quantization.candidates import Candidate
from converters.quantization.recipes import RECIPES
from edge_effnet.data.dataset import Dataset

BIAS, SEARCHED, QAT = STRATEGIES
FLOAT16 = FALLBACKS["float16"]
IMAGES = Dataset((), (), "none")


def agreement(value: float, verdict: LimitVerdict, limit: float = 99.0) -> Check:
    fits = value >= limit
    return Check("agreement", value, value - 1, value + 1, limit, fits, verdict, 100, None, value)


def trial(strategy: Strategy, value: float, verdict: LimitVerdict, *confirmed: Check) -> Trial:
    return Trial(
        size_bytes=1000,
        agreement_percent=value,
        score_l1=0.1,
        top1_percent=None,
        drop_points=None,
        drop_interval_points=None,
        latency_ratio=0.5,
        seconds=1.0,
        checks=(agreement(value, verdict),),
        confirmed=confirmed,
        strategy=strategy,
    )


def outcome(*trials: Trial, forced: bool = False) -> SearchOutcome:
    chosen, best = choose(trials)
    return SearchOutcome(
        Limits(min_agreement_percent=99),
        trials,
        chosen,
        best,
        Candidate(b"", RECIPES[best.strategy.recipe]),
        IMAGES,
        IMAGES,
        forced=forced,
    )


KEPT = agreement(99.5, "not provable")
BAD = trial(BIAS, 97.0, "exceeded")


def test_a_confirmation_that_fails_is_followed_by_the_next_strategy() -> None:
    failed = trial(BIAS, 99.5, "within", agreement(97.0, "exceeded"))
    good = trial(SEARCHED, 99.2, "not provable", KEPT)
    assert choose((failed, good)) == (good, good)
    assert not training_is_for_noise(QAT, [failed])
    assert outcome(failed).integer_failed


def test_where_the_images_cannot_tell_the_best_fast_file_is_taken() -> None:
    first = trial(BIAS, 98.5, "not provable", agreement(98.4, "not provable"))
    second = trial(SEARCHED, 98.8, "not provable", agreement(98.7, "not provable"))
    assert choose((first, second)) == (second, second)
    assert training_is_for_noise(QAT, [first])
    assert not training_is_for_noise(SEARCHED, [first])
    found = outcome(first, second)
    assert (found.verdict, found.headline(), found.missed()) == ("not provable", None, None)
    said = unproven_text(first, 200)
    assert said.startswith("200 images cannot tell whether strategy 'bias' keeps the limit (agree")
    assert "98.5" in said
    assert "98.4" in said


@pytest.mark.parametrize(
    ("forced", "code", "ends"), [(False, 1, "nothing written"), (True, 3, "written all the same")]
)
def test_that_no_int8_file_fits_is_said_in_capitals(forced: bool, code: int, ends: str) -> None:
    missed = outcome(BAD, trial(SEARCHED, 98.0, "exceeded"), forced=forced).missed()
    assert missed is not None
    assert missed.what == f"NO INT8 FILE REACHED 99 %: best 98.0 %, {ends}"
    assert missed.exit_code == code
    assert "--fallback float16" in missed.fix
    assert str(missed).startswith(missed.what)


def test_a_fallback_is_written_and_said_to_be_one() -> None:
    found = outcome(BAD, trial(FLOAT16, 99.9, "within", KEPT))
    assert found.best.strategy is FLOAT16
    assert found.missed() is None
    headline = found.headline()
    assert headline is not None
    assert headline.startswith("NO INT8 FILE REACHED 99 %: best 97.0 %, float16 written instead")


def test_a_fallback_that_fails_too_is_not_written() -> None:
    found = outcome(BAD, trial(FLOAT16, 98.1, "exceeded"))
    assert found.best is BAD
    assert found.headline() == (
        "NO INT8 FILE REACHED 99 %: best 97.0 %, float16 98.1, nothing written"
    )


def test_a_drop_is_named_with_its_points() -> None:
    drop = Check("drop", 1.24, 0.8, 1.6, 0.5, False, "exceeded", 100, None, 1.24)
    headline = outcome(replace(BAD, checks=(drop,))).headline()
    assert headline is not None
    assert headline.startswith("NO INT8 FILE KEPT THE DROP WITHIN 0.5 POINTS: best 1.2, ")
