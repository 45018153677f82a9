"""Rounding the weights of a small kernel together: nearer answers, whole numbers, same scales."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.calibration.ranges import choose_ranges, collect_statistics
from converters.calibration.representative import Calibration
from converters.float_model.export import export_image_network
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.quantization.weight_rounding import round_together, round_weights
from converters.tflite_graph.activations import collect_activations
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import parse_structure

SIDE = 24


def error_of_sums(weights: np.ndarray, whole: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    error = whole - weights
    return np.asarray(
        np.einsum(
            "ok,okl,ol->o",
            error,
            np.broadcast_to(covariance, (len(error), *covariance.shape[1:])),
            error,
        )
    )


@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_weights_go_to_a_neighbour_and_their_sums_come_no_farther(seed: int, products: int) -> None:
    random = np.random.default_rng(seed)
    weights = random.uniform(-127, 127, (5, products))
    mixed = random.normal(size=(1, products, products)) + 2
    covariance = mixed @ mixed.transpose(0, 2, 1)
    whole = round_together(weights, covariance)
    assert np.array_equal(whole, np.rint(whole))
    assert np.abs(whole - weights).max() < 1
    assert np.abs(whole).max() <= 127
    before = error_of_sums(weights, np.rint(weights), covariance)
    after = error_of_sums(weights, whole, covariance)
    assert np.all(after <= before * 1.01 + 1e-3 * np.trace(covariance[0]) * products)


def test_inputs_that_rise_together_make_errors_cancel() -> None:
    weights = np.full((1, 8), 10.3)
    together = np.ones((1, 8, 8)) + 0.01 * np.eye(8)
    assert round_together(weights, together).sum() == pytest.approx(82.4, abs=0.5)
    apart = np.eye(8)[None]
    assert round_together(weights, apart).sum() == 80


@pytest.fixture(scope="module")
def depthwise() -> bytes:
    """Depthwise kernels whose nine weights nearly cancel, behind a nearly constant channel."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    pixels = keras.Input((SIDE, SIDE, 3))
    bright = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(pixels)
    layer = layers.DepthwiseConv2D(3, padding="same", name="small")
    seen = layers.ReLU(6)(layer(bright))
    scores = layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(seen))
    network = keras.Model(pixels, scores)
    kernel, bias = layer.get_weights()
    kernel -= kernel.mean(axis=(0, 1), keepdims=True)
    layer.set_weights([kernel, bias + 0.5])
    return export_image_network(network, SIDE, SIDE, 3)


def test_a_depthwise_layer_answers_nearer_to_float(depthwise: bytes) -> None:
    structure = parse_structure(depthwise, "depthwise")
    calibration = Calibration(None, 12, Preprocess(SIDE, SIDE), seed=0)
    statistics = collect_statistics(depthwise, structure, calibration, workers=1)
    ranges = choose_ranges(statistics, structure, calibration, depthwise)
    quantized = quantize(depthwise, RECIPES["int8"], ranges, "int8")
    images = list(islice(calibration.inputs(), 12))
    rounded = round_weights(depthwise, quantized, images, workers=1)
    (layer,) = (op for op in structure.operators if op.name == "DEPTHWISE_CONV_2D")
    name = structure.tensors[layer.outputs[0]].name

    def answers(model: bytes) -> np.ndarray:
        tensors = parse_structure(model, "model").tensors
        (index,) = (i for i, tensor in enumerate(tensors) if tensor.name == name)
        tensor = tensors[index]
        scale, zero = (tensor.scales[0], tensor.zero_points[0]) if tensor.scales else (1, 0)
        return np.stack(
            collect_activations(
                model,
                [index],
                images,
                lambda _, __, values: (values.astype(np.float32) - zero) * scale,
                workers=1,
            )
        )

    expected = answers(depthwise)
    before, after = (
        float(((answers(model) - expected) ** 2).mean()) for model in (quantized, rounded)
    )
    assert after < before
    assert len(rounded) == len(quantized)


def test_weights_that_lie_on_their_grid_stay(depthwise: bytes) -> None:
    """As those of a file do that was turned back into float."""
    structure = parse_structure(depthwise, "depthwise")
    calibration = Calibration(None, 6, Preprocess(SIDE, SIDE), seed=0)
    statistics = collect_statistics(depthwise, structure, calibration, workers=1)
    ranges = choose_ranges(statistics, structure, calibration, depthwise)
    on_grid = with_weights_on_a_grid(depthwise)
    quantized = quantize(on_grid, RECIPES["int8"], ranges, "int8")
    images = list(islice(calibration.inputs(), 6))
    assert round_weights(on_grid, quantized, images, workers=1) == quantized


def with_weights_on_a_grid(model: bytes) -> bytes:
    """Each kernel rounded to 255 steps per channel."""
    from edge_effnet.tflite.editor import writable_constant

    edited, structure = bytearray(model), parse_structure(model, "model")
    for operator in structure.operators:
        if operator.name in {"CONV_2D", "DEPTHWISE_CONV_2D"}:
            shape = structure.tensors[operator.inputs[1]].shape
            kernel = writable_constant(edited, operator.inputs[1]).view(np.float32).reshape(shape)
            axes = (0, 1, 2) if operator.name == "DEPTHWISE_CONV_2D" else (1, 2, 3)
            step = np.abs(kernel).max(axis=axes, keepdims=True) / 127
            kernel[:] = np.rint(kernel / step) * step
    return bytes(edited)
