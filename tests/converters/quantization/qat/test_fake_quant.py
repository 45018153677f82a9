"""Fake quantization against the quantizer's own arithmetic, and the gradients it hands on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from litert_quantizer import qtyping
from litert_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor as library

from converters.quantization.qat.fake_quant import (
    keras,
    ops,
    quantize_activation,
    quantize_fixed,
    whole_steps,
)

VALUES = arrays(np.float32, 40, elements=st.floats(-20, 20, width=32))


def library_rounding(x: np.ndarray, low: float, high: float) -> tuple[np.ndarray, float]:
    """The same by AI Edge Quantizer, and its step."""
    zero, step = library.tensor_zp_scale_from_min_max(
        np.float32([low]), np.float32([high]), 8, False, qtyping.QuantGranularity.TENSORWISE
    )
    parameters = qtyping.UniformQuantParams(8, None, step, zero, symmetric=False)
    stored = library.uniform_quantize(x, parameters)
    return (stored.astype(np.float32) - zero.astype(np.float32)) * step, float(step[0])


@given(VALUES, st.floats(-30, 0), st.floats(0.1, 30))
def test_activations_round_as_the_quantizer_does(x: np.ndarray, low: float, high: float) -> None:
    expected, step = library_rounding(x, low, high)
    ours = ops.convert_to_numpy(quantize_activation(x, np.float32(low), np.float32(high)))
    off = np.abs(ours - expected)
    # A value in the very middle between two steps may go either way.
    middle = np.abs(np.abs(x / step - np.rint(x / step)) - 0.5) < 1e-4
    assert (off[~middle] < 1e-5 + 1e-4 * step).all()
    assert (off < 1.001 * step).all()


def test_a_fixed_range_rounds_alike_but_has_nothing_to_learn() -> None:
    x = np.linspace(0, 1, 1001, dtype=np.float32)
    expected, _ = library_rounding(x, 0.0, 255 / 256)
    assert ops.convert_to_numpy(quantize_fixed(x, 0.0, 255 / 256)) == pytest.approx(expected)


def gradients(x: np.ndarray, low: float, high: float) -> tuple[np.ndarray, float, float]:
    """Of the sum of the rounded values."""
    import tensorflow as tf

    inputs = [tf.constant(x), tf.constant(low), tf.constant(high)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(quantize_activation(*inputs))
    by_x, by_low, by_high = tape.gradient(total, inputs)
    return by_x.numpy(), float(by_low), float(by_high)


def test_clipped_values_pull_the_end_they_were_clipped_at() -> None:
    assert keras.backend.backend() == "tensorflow"
    low, high = -1.0, 2.0
    far = np.array([-5, -5, 5], np.float32)
    by_x, by_low, by_high = gradients(far, low, high)
    assert (by_x == 0).all()
    assert (by_low, by_high) == (2, 1)


@given(st.floats(-0.99, 1.99))
def test_values_inside_pull_by_their_rounding_error(value: float) -> None:
    x = np.array([value], np.float32)
    step = np.float32(3 / 255)
    by_x, by_low, by_high = gradients(x, -1.0, 2.0)
    error = float(ops.convert_to_numpy(quantize_activation(x, -1.0, 2.0))[0] - x[0])
    assert by_x[0] == 1
    # Esser et al. 2020, equation 3: the derivative by the step is the error in steps; the ends
    # share the step: 1/255 of their distance.
    assert by_high == pytest.approx(error / step / 255, abs=1e-4)
    assert by_low == pytest.approx(-by_high)


@given(arrays(np.float32, (3, 4), elements=st.floats(-5, 5, width=32)))
def test_kernels_keep_their_largest_weight_and_are_whole_steps(kernel: np.ndarray) -> None:
    step = np.maximum(np.abs(kernel).max(axis=0), np.float32(1e-9)) / np.float32(127)
    steps = ops.convert_to_numpy(whole_steps(kernel, step, 127))
    assert np.abs(steps - np.rint(steps)).max() < 1e-3
    assert np.abs(steps).max() < 127.001
    assert np.abs(steps * step - kernel).max() <= 0.5001 * step.max()


def test_biases_are_whole_steps_of_the_products() -> None:
    step = np.float32([0.5, 0.25])
    steps = ops.convert_to_numpy(whole_steps(np.float32([1.3, 1.3]), step))
    assert steps == pytest.approx([3, 5])
