"""One kernel on a grid: what learned rounding gains over rounding to the nearest."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from converters.quantization.rounding.solve import (
    KERNEL_MAX,
    Floats,
    Rows,
    moments,
    narrower_steps,
    round_in_turn,
    solve_kernel,
    weighted_error,
)

SEEDS = st.integers(0, 2**32 - 1)


def correlated(seed: int, groups: int, rows: int, inputs: int) -> Floats:
    random = np.random.default_rng(seed)
    return random.normal(size=(groups, rows, 3)) @ random.normal(size=(groups, 3, inputs)) + (
        0.2 * random.normal(size=(groups, rows, inputs))
    )


def nearest(kernel: Floats, steps: Floats) -> Floats:
    return np.asarray(np.clip(np.rint(kernel / steps), -KERNEL_MAX, KERNEL_MAX) * steps)


@given(SEEDS, st.integers(1, 3), st.integers(1, 4), st.integers(1, 9))
def test_inputs_that_do_not_go_together_are_rounded_to_the_nearest(
    seed: int, groups: int, outputs: int, inputs: int
) -> None:
    random = np.random.default_rng(seed)
    kernel = random.normal(size=(groups, outputs, inputs))
    steps = np.abs(kernel).max(axis=2, keepdims=True) / 20
    apart = np.eye(inputs) * random.uniform(0.1, 2, (groups, inputs, 1))
    np.testing.assert_allclose(round_in_turn(kernel, steps, apart), nearest(kernel, steps))


@given(SEEDS, st.integers(10, 150))
def test_rounded_kernels_lie_on_their_grid(seed: int, inputs: int) -> None:
    rows = correlated(seed, 1, 300, inputs)
    kernel = np.random.default_rng(seed).normal(size=(1, 4, inputs))
    steps = np.abs(kernel).max(axis=2, keepdims=True) / KERNEL_MAX
    seen = moments(as_rows(rows, kernel))
    rounded, found = solve_kernel(kernel, steps, seen)
    codes = rounded / found
    np.testing.assert_allclose(codes, np.rint(codes), atol=1e-6)
    assert np.abs(codes).max() < KERNEL_MAX + 0.5
    assert (found <= steps).all()
    assert (found >= 0.7 * steps - 1e-12).all()


def as_rows(inputs: Floats, kernel: Floats) -> Rows:
    sums = inputs @ kernel.transpose(0, 2, 1)
    weights = np.ones((*sums.shape[:2], 1))
    return Rows(*(part.astype(np.float32) for part in (inputs, sums, weights)))


def test_sums_come_nearer_on_rows_that_did_not_teach() -> None:
    gains = []
    for seed in range(8):
        rows = correlated(seed, 1, 600, 48)
        kernel = np.random.default_rng(seed + 100).normal(size=(1, 6, 48))
        steps = np.abs(kernel).max(axis=2, keepdims=True) / 7
        teach, judge = as_rows(rows[:, :400], kernel), as_rows(rows[:, 400:], kernel)
        rounded, _ = solve_kernel(kernel, steps, moments(teach))
        bias = np.zeros((1, 6))
        before, after = (
            weighted_error(judge, k, bias).sum() for k in (nearest(kernel, steps), rounded)
        )
        gains.append(before / after)
    assert min(gains) > 2
    assert np.median(gains) > 4


def test_rows_without_weight_teach_nothing() -> None:
    rows = correlated(3, 1, 200, 12)
    kernel = np.random.default_rng(3).normal(size=(1, 1, 12))
    whole = as_rows(rows, kernel)
    mute = np.arange(200) < 120
    wild = whole.inputs.copy()
    wild[:, mute] *= 50
    weights = np.where(mute, 0, 1).astype(np.float32)[None, :, None]
    heard, told = moments(Rows(wild, whole.sums, weights)), moments(whole.some(~mute))
    np.testing.assert_allclose(heard.inputs, told.inputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(heard.input_mean, told.input_mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(heard.rows, told.rows)


def test_an_outlier_that_hardly_speaks_is_cut() -> None:
    kernel = np.full((1, 1, 64), 0.1)
    kernel[..., 0] = 1.0
    steps = np.full((1, 1, 1), 1.0 / 7)
    power = np.ones((1, 64))
    assert narrower_steps(kernel, steps, power)[0, 0, 0] <= steps[0, 0, 0]
    power[0, 0] = 1e-9
    assert narrower_steps(kernel, steps, power)[0, 0, 0] < steps[0, 0, 0]
