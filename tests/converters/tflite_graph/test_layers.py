"""Layers of an integer model, and the functions behind them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.layers import Follower, quantized_layers, slope, without_outliers
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import TinyModel


def test_every_layer_with_a_bias_but_the_normalization_is_found(tiny: TinyModel) -> None:
    small = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    structure = parse_structure(small, "small")
    layers = quantized_layers(structure, tiny.structure)
    kinds = Counter(operator.name for operator in structure.operators)
    with_bias = [
        operator
        for operator in structure.operators
        if operator.name in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}
        and len(operator.inputs) == 3
        and operator.inputs[2] >= 0
    ]
    pixels, *others = with_bias
    assert structure.tensors[pixels.inputs[1]].shape == (1, 1, 1, 3)
    assert [layer.output for layer in layers] == [operator.outputs[0] for operator in others]
    followers = Counter(layer.follower for layer in layers)
    assert followers["swish"] + followers["sigmoid"] == kinds["LOGISTIC"]
    for layer in layers:
        assert (layer.activation == layer.output) == (layer.follower == "none")
        theirs = tiny.structure.tensors[layer.float_output]
        assert theirs.name == structure.tensors[layer.output].name


FUNCTIONS = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
}


@pytest.mark.parametrize("follower", FUNCTIONS)
def test_a_slope_is_the_derivative(follower: Follower) -> None:
    at = np.linspace(-8.05, 8.05, 64)
    step = 1e-4
    function = FUNCTIONS[follower]
    expected = (function(at + step) - function(at - step)) / (2 * step)
    np.testing.assert_allclose(slope(at.astype(np.float32), follower), expected, atol=1e-3)


@given(st.lists(st.floats(0.5, 2), min_size=3, max_size=20), st.integers(0, 20))
def test_one_image_with_huge_values_is_left_out(powers: list[float], index: int) -> None:
    index %= len(powers) + 1
    powers.insert(index, 100.0)
    assert without_outliers(powers) == [i for i in range(len(powers)) if i != index]
