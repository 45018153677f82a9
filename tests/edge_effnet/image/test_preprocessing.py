"""Pixels to the network's input size, channels and values."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_effnet.errors import UsageProblem
from edge_effnet.image.preprocessing import (
    Channels,
    Fit,
    Preprocess,
    in_channels,
    in_rgb,
    normalize,
    preprocess,
)

SMOOTH = np.dstack([np.add.outer(np.arange(200), np.arange(300)) * 255 // 500] * 3).astype(np.uint8)


def test_the_central_square_of_nine_tenths_is_resized() -> None:
    """FACTS' convention: 0.9 of the short side, area averaging when shrinking."""
    expected = cv2.resize(SMOOTH[10:190, 60:240], (60, 60), interpolation=cv2.INTER_AREA)
    assert np.array_equal(preprocess(SMOOTH, Preprocess(60, 60)), expected)


def test_small_pictures_grow_by_cubic_interpolation() -> None:
    small = SMOOTH[:20, :20].copy()
    expected = cv2.resize(small[1:19, 1:19], (64, 64), interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(preprocess(small, Preprocess(64, 64)), expected)


def test_the_network_may_be_wide() -> None:
    """The largest rectangle of the network's shape, not a squeezed square."""
    expected = cv2.resize(SMOOTH[25:175, :], (40, 20), interpolation=cv2.INTER_AREA)
    assert np.array_equal(preprocess(SMOOTH, Preprocess(20, 40, crop=1.0)), expected)


def test_pixels_of_the_right_size_are_untouched() -> None:
    noise = np.random.default_rng(2).integers(0, 255, (100, 100, 3), np.uint8)
    assert np.array_equal(preprocess(noise, Preprocess(100, 100, crop=1.0)), noise)
    assert np.array_equal(preprocess(noise, Preprocess(90, 90, crop=0.9)), noise[5:95, 5:95])


SIDES = st.integers(1, 90)


@given(SIDES, SIDES, SIDES, SIDES, st.floats(0.01, 1))
@settings(max_examples=150, deadline=None)
def test_any_picture_fills_any_input(
    rows: int, columns: int, height: int, width: int, crop: float
) -> None:
    plain = np.full((rows, columns, 3), (10, 100, 250), np.uint8)
    ready = preprocess(plain, Preprocess(height, width, crop))
    assert (ready.shape, ready.dtype) == ((height, width, 3), np.uint8)
    assert ready.flags.c_contiguous
    assert (ready == (10, 100, 250)).all()


def test_normalization_is_per_channel() -> None:
    how = Preprocess(2, 2, mean=(10.0, 20.0, 30.0), std=(2.0,))
    pixels = np.full((2, 2, 3), 40, np.uint8)
    assert normalize(pixels, how)[0, 0].tolist() == [15, 10, 5]
    assert normalize(pixels, how).dtype == np.float32
    assert Preprocess(2, 2).passes_pixels
    assert not how.passes_pixels


def test_squashing_shows_the_whole_image() -> None:
    expected = cv2.resize(SMOOTH, (60, 60), interpolation=cv2.INTER_AREA)
    assert np.array_equal(preprocess(SMOOTH, Preprocess(60, 60, 1.0, fit="squash")), expected)


def test_padding_keeps_the_shape_between_black_borders() -> None:
    ready = preprocess(SMOOTH, Preprocess(60, 60, 1.0, fit="pad"))
    expected = cv2.resize(SMOOTH, (60, 40), interpolation=cv2.INTER_AREA)
    assert np.array_equal(ready[10:50], expected)
    assert not ready[:10].any()
    assert not ready[50:].any()


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(["crop", "squash", "pad"]))
@settings(max_examples=60, deadline=None)
def test_any_fit_fills_any_grey_input(
    rows: int, columns: int, height: int, width: int, fit: Fit
) -> None:
    plain = np.full((rows, columns, 3), (10, 100, 250), np.uint8)
    ready = preprocess(plain, Preprocess(height, width, 1.0, fit=fit, channels="grey"))
    assert ready.shape == (height, width, 1)
    assert ready.flags.c_contiguous
    grey = round(0.299 * 10 + 0.587 * 100 + 0.114 * 250)  # ITU-R BT.601, as OpenCV documents
    assert set(np.unique(ready)) <= ({0, grey} if fit == "pad" else {grey})


@pytest.mark.parametrize(("channels", "pixel"), [("rgb", [1, 2, 3]), ("bgr", [3, 2, 1])])
def test_channels_stand_in_the_order_of_the_network(channels: Channels, pixel: list[int]) -> None:
    colour = np.full((4, 4, 3), (1, 2, 3), np.uint8)
    made = in_channels(colour, channels)
    assert made[0, 0].tolist() == pixel
    assert np.array_equal(in_rgb(made, channels), colour)


def test_standardizing_takes_mean_and_deviation_of_each_image() -> None:
    how = Preprocess(2, 2, 1.0, standardize=True)
    pixels = np.array([[[0, 10, 20], [30, 40, 50]], [[60, 70, 80], [90, 100, 110]]], np.uint8)
    values = normalize(pixels, how)
    assert values.mean() == pytest.approx(0, abs=1e-6)
    assert values.std() == pytest.approx(1, abs=1e-6)
    assert not normalize(np.full((2, 2, 3), 9, np.uint8), how).any()  # and no division by zero
    assert not how.passes_pixels


@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
@pytest.mark.parametrize("side", [3, 40])
def test_linear_is_what_opencv_does_by_itself(fit: Fit, side: int) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    made = preprocess(photo, Preprocess(8, 8, 1.0, fit=fit, resize="linear"))
    assert np.array_equal(made, cv2.resize(photo, (8, 8)))
    assert not np.array_equal(made, preprocess(photo, Preprocess(8, 8, 1.0, fit=fit)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"fit": "stretch"},
        {"channels": "hsv"},
        {"resize": "nearest"},
        {"fit": "squash", "crop": 0.9},
        {"standardize": True, "mean": (127.5,)},
        {"channels": "grey", "mean": (1.0, 2.0, 3.0)},
    ],
)
def test_settings_that_contradict_each_other(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageProblem):
        Preprocess(4, 4, **wrong)  # type: ignore[arg-type]
