"""Generated pictures: the same for everybody, and with the range of photographs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.calibration.dead_leaves import generated_picture


def test_a_picture_is_decided_by_its_index_and_seed() -> None:
    one = generated_picture(3, 0, 48, 64)
    assert np.array_equal(one, generated_picture(3, 0, 48, 64))
    assert not np.array_equal(one, generated_picture(4, 0, 48, 64))
    assert not np.array_equal(one, generated_picture(3, 1, 48, 64))


def test_pictures_use_the_whole_range_and_have_structure() -> None:
    pictures = np.stack([generated_picture(index, 0, 64, 64) for index in range(20)])
    assert pictures.min() < 10
    assert pictures.max() > 245
    neighbours = np.abs(np.diff(pictures.astype(int), axis=2)).mean()
    # Uniform noise would have 4/√12 = 1.15: neighbours resemble each other, as in photos.
    assert neighbours < 0.5 * pictures.std()


@settings(max_examples=25, deadline=None)
@given(st.integers(8, 90), st.integers(8, 90), st.integers(0, 10**6))
def test_any_size_renders(height: int, width: int, index: int) -> None:
    picture = generated_picture(index, 0, height, width)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
