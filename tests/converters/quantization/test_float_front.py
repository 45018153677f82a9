"""First operators that stay in float where 8 bits ruin them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from converters.accuracy.strategies import (
    applicable_strategies,
    counterpart,
    default_strategy,
    front_of,
)
from converters.calibration.images import ConversionImages
from converters.calibration.representative import Calibration
from converters.config import ConvertConfig
from converters.conversion import ConvertedFile
from converters.float_model.fold_normalization import fold_normalization
from converters.front_notes import front_notes
from converters.quantization.candidates import Context
from converters.quantization.float_front import find_front
from converters.quantization.recipes import RECIPES
from edge_effnet.data.dataset import Dataset
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import TinyModel
from tests.converters.rescaled_twice import SIDE

INT8 = RECIPES["int8"]


def context_of(model: bytes, settings: Preprocess) -> Context:
    calibration = Calibration(None, 48, settings, seed=0)
    return Context(model, parse_structure(model, "net"), calibration, "uint8", workers=2)


@pytest.fixture(scope="module", name="twice")
def folded_context(twice: bytes) -> Context:
    folded = fold_normalization(twice, np.zeros(3), np.ones(3))
    assert folded is not None
    return context_of(folded.model, Preprocess(SIDE, SIDE, 1.0, std=(255.0,)))


def test_the_first_operators_stay_in_float_where_that_saves_the_answers(twice: Context) -> None:
    full = default_strategy(INT8, full_integer=True).make(twice)
    mixed = default_strategy(INT8).make(twice)
    answer = full.left_float
    assert twice.error(mixed) < twice.error(full) / 10
    first = [twice.structure.tensors[op.outputs[0]].name for op in twice.structure.operators]
    front = mixed.left_float - answer
    assert front == set(first[: len(front)])
    assert len(front) <= len(twice.structure.operators) / 4
    made = parse_structure(mixed.model, "mixed")
    assert made.tensors[made.inputs[0]].dtype == "uint8"
    kernels = [made.tensors[op.inputs[1]].dtype for op in made.operators if op.name == "CONV_2D"]
    assert (kernels[0], kernels[-1]) == ("float32", "int8")


def test_an_ordinary_network_stays_full_integer(tiny: TinyModel) -> None:
    context = Context(tiny.model, tiny.structure, tiny.calibration, "uint8", workers=2)
    default, full = (default_strategy(INT8, full_integer=asked) for asked in (False, True))
    assert default.make(context).model == full.make(context).model
    assert not front_of(context)
    candidate = default.make(context)
    assert counterpart(default, candidate, context, values=False, full_integer=False) is None


def test_each_of_both_has_the_other_as_its_counterpart(twice: Context) -> None:
    default, full = (default_strategy(INT8, full_integer=asked) for asked in (False, True))
    mixed, integer = default.make(twice), full.make(twice)
    assert counterpart(default, mixed, twice, values=False, full_integer=False) is integer
    assert counterpart(full, integer, twice, values=False, full_integer=True) is mixed
    edgetpu = default_strategy(RECIPES["edgetpu"])
    assert not edgetpu.make(twice).left_float
    assert counterpart(edgetpu, integer, twice, values=False, full_integer=False) is None


def test_a_file_for_the_edge_tpu_is_told_what_it_lacks(twice: Context, tmp_path: Path) -> None:
    strategy = default_strategy(RECIPES["edgetpu"])
    made = ConvertedFile("edgetpu", tmp_path / "net-edgetpu.tflite", 1, 1.0, None)
    config = ConvertConfig(recipes=(RECIPES["edgetpu"],), workers=1)
    images = ConversionImages(twice.calibration, Dataset((), (), "none"), False, (), ())
    candidate = strategy.make(twice)
    (line,) = front_notes([made], [(strategy, candidate)], twice, images, config, tmp_path)
    count = len(front_of(twice))
    assert line.startswith(f"8 bits are too few for the first {count} of ")
    assert "net-edgetpu.tflite, and an Edge TPU computes none in float" in line


def test_the_search_starts_with_it_where_it_gains(twice: Context) -> None:
    first = applicable_strategies(training=None)[0].make(twice)
    assert first is default_strategy(INT8).make(twice)
    assert first.left_float
    whole = replace(twice, full_integer=True)
    for integer in ({"full_integer": True}, {"edge_tpu": True}):
        assert not applicable_strategies(**integer, training=None)[0].make(whole).left_float


def test_the_front_ends_where_one_tensor_is_live(twice: Context) -> None:
    candidate = default_strategy(INT8, full_integer=True).make(twice)
    front = find_front(candidate, twice)
    operators = twice.structure.operators
    inside = {index for op in operators[: len(front)] for index in op.outputs}
    read = {index for op in operators[len(front) :] for index in op.inputs}
    assert len(inside & read) == 1
