"""Products of two int8 activations, as the two kinds of CPU round them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from converters.quantization.requantization import settle_product_scales

PRODUCTS = np.arange(-255 * 255, 255 * 255 + 1)
scales = st.floats(1e-4, 1.0)


def on_x86(multiplier: np.float32) -> NDArray[np.float32]:
    """XNNPACK's fp32 kernels: a float32 product, rounded half to even."""
    return np.rint(PRODUCTS.astype(np.float32) * multiplier)


def on_arm(multiplier: np.float32) -> NDArray[np.float64]:
    """XNNPACK's rndnu kernels: fixed point, so exact, and rounded half up."""
    return np.floor(PRODUCTS * np.float64(multiplier) + 0.5)


def multiplier(a: float, b: float, output: tuple[float, float]) -> np.float32:
    step = np.float32(output[1] - output[0]) / np.float32(255)
    return np.float32(np.float32(a) * np.float32(b)) / step


# A swish, whose answer is multiplied with another gate.
SWISH = (
    ("LOGISTIC", ("x",), "sigmoid"),
    ("MUL", ("x", "sigmoid"), "swish"),
    ("LOGISTIC", ("x",), "gate"),
    ("MUL", ("swish", "gate"), "product"),
)


def settled(x: float, swish: float, product: float) -> dict[str, tuple[float, float]]:
    """Ranges of the swish with the given steps."""
    steps = {"x": x, "swish": swish, "product": product}
    expected = {name: (-100 * step, 155 * step) for name, step in steps.items()}
    return settle_product_scales(SWISH, {**expected, "sigmoid": (0.0, 1.0), "gate": (0.0, 1.0)})


@given(scales, st.floats(0.1, 1.5), st.floats(0.1, 1.5))
def test_both_cpus_round_every_settled_product_alike(x: float, swish: float, gated: float) -> None:
    ranges = settled(x, swish * x, gated * swish * x)
    step = (ranges["swish"][1] - ranges["swish"][0]) / 255
    for scale, output in ((x, ranges["swish"]), (step, ranges["product"])):
        m = multiplier(scale, 1 / 256, output)
        assert np.array_equal(on_x86(m), on_arm(m))


def test_without_it_they_do_not() -> None:
    m = multiplier(0.25, 1 / 256, (0.0, 0.25 * 255))  # 1 / 256: 128 is a half, and 384
    assert not np.array_equal(on_x86(m), on_arm(m))


@given(scales, st.floats(0.1, 1.5), st.floats(0.1, 1.5))
def test_a_range_moves_by_less_than_one_unit_in_its_number_of_units(
    x: float, swish: float, gated: float
) -> None:
    ranges = settled(x, swish * x, gated * swish * x)
    low, high = ranges["swish"]
    assert abs((high - low) / 255 - swish * x) <= x / 256 * (1 + 1e-6)
    assert low <= 0 <= high
    assert abs(low + 100 * swish * x) <= 100 * x / 256 + swish * x
    assert ranges["x"] == (-100 * x, 155 * x)


def test_constants_and_tensors_left_in_float_are_left_alone() -> None:
    ranges = {"x": (-1.0, 1.0), "product": (0.0, 1.0)}  # the swish is not known
    assert settle_product_scales(SWISH, ranges) == ranges
