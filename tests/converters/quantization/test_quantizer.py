"""Recipes applied: what is in the file is what the row says."""

import re

import pytest

from converters.quantization.quantizer import operator_types, quantize, refuse_float_operators
from converters.quantization.recipes import RECIPES
from edge_effnet.errors import ModelError
from edge_effnet.tflite.editor import Interface
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import TinyModel


def test_int8_has_no_float_left(tiny: TinyModel) -> None:
    small = parse_structure(
        quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8"), "tiny int8"
    )
    assert not operator_types(small)
    assert {tensor.dtype for tensor in small.tensors} == {"int8", "int32", "uint8"}


def test_int8_weights_have_a_scale_per_channel(tiny: TinyModel) -> None:
    small = parse_structure(quantize(tiny.model, RECIPES["int8"], tiny.ranges, "int8"), "tiny")
    for operator in small.operators:
        if operator.name in {"CONV_2D", "DEPTHWISE_CONV_2D"}:
            kernel = small.tensors[operator.inputs[1]]
            assert len(kernel.scales) == kernel.shape[kernel.channel_axis] > 1
            assert set(kernel.zero_points) == {0}


@pytest.mark.parametrize(
    ("interface", "scale", "zero_point"), [("uint8", 1.0, 0), ("int8", 1.0, -128)]
)
def test_the_input_is_the_pixel(
    tiny: TinyModel, interface: Interface, scale: float, zero_point: int
) -> None:
    small = parse_structure(quantize(tiny.model, RECIPES["int8"], tiny.ranges, interface), "tiny")
    source = small.tensors[small.inputs[0]]
    assert (source.dtype, source.scales, source.zero_points) == (
        interface,
        (scale,),
        (zero_point,),
    )


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_every_recipe_stores_its_weights_as_it_says(tiny: TinyModel, recipe) -> None:  # type: ignore[no-untyped-def]
    small = parse_structure(quantize(tiny.model, recipe, tiny.ranges, "uint8"), recipe.name)
    largest = max(small.tensors, key=lambda tensor: tensor.constant_bytes)
    assert largest.dtype == recipe.weights
    ends = {small.tensors[index].dtype for index in (*small.inputs, *small.outputs)}
    assert ends == {"uint8" if recipe.full_integer else "float32"}


def test_a_float_operator_left_in_an_int8_file_is_named(tiny: TinyModel) -> None:
    with pytest.raises(ModelError, match=re.escape("× CONV_2D")):
        refuse_float_operators(tiny.structure)
