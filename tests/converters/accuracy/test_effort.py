"""How long a search may take, as it is said before it starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from converters.accuracy.effort import effort_text
from converters.accuracy.strategies import applicable_strategies
from converters.quantization.candidates import Context
from converters.quantization.qat.step import Train
from tests.converters.conftest import TinyModel


@pytest.fixture
def context(tiny: TinyModel) -> Context:
    calibration = replace(tiny.calibration, generated=200)
    return Context(tiny.model, tiny.structure, calibration, "uint8", 2)


def test_tries_and_minutes_are_named(context: Context) -> None:
    rows = applicable_strategies(training=Train())
    said = effort_text(rows, context, 500, 0.016)
    assert said.startswith("at most 3 tries (bias, searched, qat) on 500 images: about 1 minute, ")
    assert said.endswith(" and 7 minutes more if only training is left")
    assert "25 minutes more" in effort_text(rows, context, 500, 0.06)


def test_without_training_there_is_no_more_to_say(context: Context) -> None:
    (row, *_) = applicable_strategies(training=None)
    said = effort_text([row], context, 100_000, 0.016)
    assert said == "at most 1 try (bias) on 100000 images: about 18 minutes"
