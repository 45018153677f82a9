"""The table of strategies: what follows for every row."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from converters.accuracy.strategies import (
    FALLBACKS,
    STRATEGIES,
    Strategy,
    applicable_strategies,
    default_strategy,
)
from converters.accuracy.trials import stored_trial
from converters.quantization import quantizer
from converters.quantization.candidates import (
    Candidate,
    Context,
    best_of,
    each_step,
    run_steps,
)
from converters.quantization.qat.step import Train
from converters.quantization.quantizer import operator_types
from converters.quantization.ranges import choice as range_choice
from converters.quantization.recipes import RECIPES
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import TinyModel

ROWS = (*applicable_strategies(allow_float=2, training=Train(steps=3, labelled=True)),)


@pytest.fixture(scope="module")
def context(tiny: TinyModel) -> Context:
    return Context(tiny.model, tiny.structure, tiny.calibration, "uint8", 2)


@pytest.mark.parametrize("row", [*STRATEGIES, *FALLBACKS.values()], ids=lambda row: row.name)
def test_what_calibrates_chooses_ranges_before_it_quantizes(row: Strategy) -> None:
    steps = list(each_step(row.steps))
    assert row.summary
    assert quantizer.apply in steps
    assert (row.to_json()["ranges"] is not None) == row.quantization.calibrated
    assert row.size_only == (not row.quantization.calibrated)


@pytest.mark.parametrize(
    "row",
    [row for row in (*ROWS, *FALLBACKS.values()) if not row.training],
    ids=lambda row: row.name,
)
def test_every_strategy_keeps_what_its_recipe_promises(row: Strategy, context: Context) -> None:
    candidate = row.make(context)
    floats = operator_types(parse_structure(candidate.model, row.name), candidate.left_float)
    assert row.size_only == (set(floats) > {"FULLY_CONNECTED"})  # the answer of the others
    answer = candidate.float_answer.tensors if candidate.float_answer else frozenset()
    assert bool(candidate.left_float - answer) == bool(row.left_float)
    assert row.make(context) is candidate  # made once
    assert context.error(candidate) < 0.5


def test_a_row_says_its_settings_in_json() -> None:
    said = {row.name: row.to_json() for row in ROWS}
    assert list(said) == ["bias", "searched", "float2", "qat"]
    assert json.loads(json.dumps(said)) == said
    assert said["qat"]["steps"] == 3
    assert said["qat"]["labelled"] is said["qat"]["recovery"] is True
    assert said["float2"]["left_float"] == 2
    assert [row["ranges"] for row in said.values()][:2] == ["roles", "searched"]
    assert all(row["bias"] and row["float_front"] for row in said.values())


def test_the_first_is_what_int8_by_itself_makes() -> None:
    for full_integer in (False, True):
        first = applicable_strategies(full_integer=full_integer, training=None)[0]
        default = default_strategy(RECIPES["int8"], full_integer=full_integer)
        assert (first.steps, first.recipe) == (default.steps, default.recipe)


def test_full_integer_leaves_nothing_in_float() -> None:
    rows = applicable_strategies(full_integer=True, training=Train())
    assert [row.name for row in rows] == ["bias", "searched", "qat"]
    assert not any(row.to_json()["float_front"] for row in rows)


def test_numbers_may_take_whole_ranges(context: Context) -> None:
    whole = default_strategy(RECIPES["int8"], values=True)
    assert range_choice.whole in each_step(whole.steps)
    assert range_choice.whole not in each_step(default_strategy(RECIPES["int8"]).steps)
    assert default_strategy(RECIPES["float16"], values=True).steps == (quantizer.apply,)
    usual = default_strategy(RECIPES["int8"]).make(context)
    assert context.error(whole.make(context)) <= context.error(usual)


def test_of_several_ways_the_one_of_least_error_is_kept(context: Context) -> None:
    def ruined(candidate: Candidate, _: Context) -> Candidate:
        return replace(candidate, ranges=dict.fromkeys(candidate.ranges, (-1000.0, 1000.0)))

    start = range_choice.by_role(context.start("int8"), context)
    usual = (quantizer.apply,)
    best = best_of((ruined, quantizer.apply), usual, (*usual,))(start, context)
    assert best is run_steps(usual, start, context)
    assert list(each_step((best_of(usual, (ruined,)),))) == [quantizer.apply, ruined]


def test_a_new_correction_is_a_function_and_a_row(context: Context) -> None:
    seen: list[Candidate] = []

    def look(candidate: Candidate, _: Context) -> Candidate:
        seen.append(candidate)
        return candidate

    (bias,) = (row for row in STRATEGIES if row.name == "bias")
    row = Strategy("looked", (*bias.steps, look))
    assert row.make(context) is bias.make(context)
    assert seen == [bias.make(context)]


@pytest.mark.parametrize("stored", [None, [], {}, {"rung": {"name": "rounded"}, "checks": 3}])
def test_a_trial_of_another_form_is_measured_again(stored: object) -> None:
    assert stored_trial(STRATEGIES[0], stored) is None
