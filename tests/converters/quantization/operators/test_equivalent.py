"""Float operators in other words compute the same in float."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from converters.quantization.operators.equivalent import with_equivalent_operators
from edge_effnet.tflite.reader import parse_structure
from tests.converters.quantization.operators.test_integer import (
    ALPHA,
    CASES,
    SHAPE,
    WIDTH,
    model,
    ranges,
    values,
)

SLOPES = np.random.default_rng(5).uniform(-0.4, 0.9, SHAPE[1:]).astype(np.float32)
NAMES = ("RELU", "RELU6", "HARD_SWISH", "NEG", "SQUARE", "DIV", "POW", "PRELU", "ABS")
REWRITTEN: dict[str, tuple[Any, ...]] = {
    **{name: CASES[name] for name in NAMES},
    "PRELU with a slope for each value": ((SLOPES,), {}),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_float_answers_stay(name: str) -> None:
    constants, settings = REWRITTEN[name]
    kind = name.split()[0]
    original = model(kind, *constants, **settings)
    rewritten, _ = with_equivalent_operators(original, {})
    kinds = {operator.name for operator in parse_structure(rewritten, name).operators}
    assert kind not in kinds
    assert kinds <= {"CONV_2D", "MUL", "ADD", "MEAN"}
    made = f"made by {kind}"
    np.testing.assert_allclose(values(rewritten, made), values(original, made), atol=1e-6)


def test_new_tensors_have_the_ranges_that_they_can_take() -> None:
    original = model("PRELU", ALPHA.reshape(1, 1, WIDTH))
    rewritten, given = with_equivalent_operators(original, ranges(original))
    for name, (low, high) in ranges(rewritten).items():
        assert given[name][0] <= low + 1e-6
        assert given[name][1] >= high - 1e-6


def test_others_stay_byte_for_byte() -> None:
    original = model("ELU")
    assert with_equivalent_operators(original, {})[0] is original
    power = model("POW", np.full((), 1.7, np.float32), options="PowOptions")
    kinds = [o.name for o in parse_structure(with_equivalent_operators(power, {})[0], "").operators]
    assert kinds == ["CONV_2D", "POW", "MEAN"]


def test_leaky_relu_is_rewritten_for_the_edge_tpu_alone() -> None:
    original = model("LEAKY_RELU", options="LeakyReluOptions", alpha=0.2)
    assert with_equivalent_operators(original, {})[0] is original
    rewritten, _ = with_equivalent_operators(original, {}, edge_tpu=True)
    kinds = {operator.name for operator in parse_structure(rewritten, "leaky").operators}
    assert kinds == {"CONV_2D", "MUL", "ADD", "MEAN"}
    made = "made by LEAKY_RELU"
    np.testing.assert_allclose(values(rewritten, made), values(original, made), atol=1e-6)
