"""Measures of noise: what a ruined image weighs, and what eight bits cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.tflite_graph.error_metrics import (
    error_share,
    outlying,
    stored_in_int8,
    typical_share,
)


def test_a_ruined_answer_is_one_ruined_image_however_large() -> None:
    quiet = np.array([[1, 2, 3]], np.float32)
    expected = np.concatenate([quiet, quiet, quiet, 2 * quiet])
    answer = np.concatenate([quiet, quiet, quiet, np.float32(1e6) * quiet[:, ::-1]])
    assert error_share(expected, answer) == pytest.approx(1 / 4, abs=1e-3)
    assert error_share(expected, expected + 7) == pytest.approx(0, abs=1e-9)
    # A quarter of all amplitudes, squared.
    assert typical_share(expected, answer) == pytest.approx(1 / 16, abs=1e-3)
    assert typical_share(expected, expected + 7) == pytest.approx(0, abs=1e-9)


def test_an_image_of_far_larger_logits_is_left_out_of_what_is_typical() -> None:
    expected = np.tile(np.array([[3, -1, -2]], np.float32), (8, 1))
    expected[0] *= 30
    answer = expected.copy()
    answer[0] = 0
    assert outlying(expected).tolist() == [True] + 7 * [False]
    assert not outlying(np.zeros((8, 3), np.float32)).any()
    assert error_share(expected, answer) > 0.05
    assert typical_share(expected, answer) == 0


def test_a_image_that_is_cut_weighs_less_than_ordinary_noise_on_all() -> None:
    expected = np.tile(np.array([[3, -1, -2]], np.float32), (8, 1))
    ordinary = expected + 0.2 * np.array([[1, -1, 0]], np.float32)
    one_cut = expected.copy()
    one_cut[0] *= 0.6
    assert error_share(expected, one_cut) > error_share(expected, ordinary)
    assert typical_share(expected, one_cut) < typical_share(expected, ordinary)


@given(
    st.floats(-50, 50),
    st.floats(-50, 50),
    st.lists(st.floats(-60, 60), min_size=1, max_size=20),
)
def test_eight_bits_are_half_a_step_off_and_clip(a: float, b: float, values: list[float]) -> None:
    low, high = min(a, b, 0.0), max(a, b, 0.0)
    step = max(high - low, 1e-9) / 255
    given_values = np.array(values, np.float32)
    stored = stored_in_int8(given_values, min(a, b), max(a, b))
    # The zero point is rounded too, so the ends may lie half a step off.
    inside = np.clip(given_values, low, high)
    assert np.all(np.abs(stored - inside) <= 1.01 * step + 1e-4)
    assert stored_in_int8(np.zeros(1, np.float32), a, b) == 0
