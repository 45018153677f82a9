"""Weights that were integers with one step for a tensor are stored as those integers again."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from converters.calibration.ranges import choose_ranges, collect_statistics
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.activations import logits
from edge_effnet.tflite.editor import writable_constant
from edge_effnet.tflite.reader import Operator, Structure, parse_structure
from tests.converters.conftest import TinyModel, signal_to_noise

LAYERS = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}


def with_weights_on_a_grid(model: bytes) -> bytes:
    """As a file of dynamic range is that was turned back into float: one step a kernel."""
    edited, structure = bytearray(model), parse_structure(model, "model")
    for operator in layers(structure):
        kernel = writable_constant(edited, operator.inputs[1]).view(np.float32)
        step = np.abs(kernel).max() / 127
        kernel[:] = np.rint(kernel / step).astype(np.float32) * step
    return bytes(edited)


def layers(structure: Structure) -> list[Operator]:
    return [operator for operator in structure.operators if operator.name in LAYERS]


def largest_error(model: bytes, quantized: bytes) -> float:
    """Of the stored weights, in steps."""
    original, structure = (parse_structure(file, "model") for file in (model, quantized))
    floats, integers = bytearray(model), bytearray(quantized)
    worst = 0.0
    for before, after in zip(layers(original), layers(structure), strict=True):
        tensor = structure.tensors[after.inputs[1]]
        expected = writable_constant(floats, before.inputs[1]).view(np.float32)
        stored = writable_constant(integers, after.inputs[1]).view(np.int8)
        shape = [1] * len(tensor.shape)
        shape[-1 if after.name == "DEPTHWISE_CONV_2D" else 0] = -1
        scales = np.reshape(tensor.scales, shape if len(tensor.scales) > 1 else [1] * len(shape))
        steps = (expected.reshape(tensor.shape) / scales) - stored.reshape(tensor.shape)
        worst = max(worst, float(np.abs(steps).max()))
    return worst


@pytest.fixture(scope="module")
def on_a_grid(tiny: TinyModel) -> bytes:
    return with_weights_on_a_grid(tiny.model)


def test_every_weight_is_stored_exactly(tiny: TinyModel, on_a_grid: bytes) -> None:
    quantized = quantize(on_a_grid, RECIPES["int8"], tiny.ranges, "uint8")
    assert largest_error(on_a_grid, quantized) < 0.01
    usual = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    assert largest_error(tiny.model, usual) > 0.4


def test_the_biases_follow(tiny: TinyModel, on_a_grid: bytes) -> None:
    structure = parse_structure(on_a_grid, "model")
    statistics = collect_statistics(on_a_grid, structure, tiny.calibration, workers=1)
    ranges = choose_ranges(statistics, structure, tiny.calibration, on_a_grid)
    quantized = quantize(on_a_grid, RECIPES["int8"], ranges, "int8")
    images = list(islice(tiny.calibration.inputs(), 8))
    expected, answers = (
        logits(model, structure, images, workers=1) for model in (on_a_grid, quantized)
    )
    assert signal_to_noise(expected, answers) > 12
