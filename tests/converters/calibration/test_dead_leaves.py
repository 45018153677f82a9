"""Generated images: the same for everybody, and with the range of photographs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.calibration.dead_leaves import generated_image


def test_a_image_is_decided_by_its_index_and_seed() -> None:
    one = generated_image(3, 0, 48, 64)
    assert np.array_equal(one, generated_image(3, 0, 48, 64))
    assert not np.array_equal(one, generated_image(4, 0, 48, 64))
    assert not np.array_equal(one, generated_image(3, 1, 48, 64))


def test_images_use_the_whole_range_and_have_structure() -> None:
    images = np.stack([generated_image(index, 0, 64, 64) for index in range(20)])
    assert images.min() < 10
    assert images.max() > 245
    neighbours = np.abs(np.diff(images.astype(int), axis=2)).mean()
    # Uniform noise would have 4/√12 = 1.15: neighbours resemble each other, as in photos.
    assert neighbours < 0.5 * images.std()


@settings(max_examples=25, deadline=None)
@given(st.integers(8, 90), st.integers(8, 90), st.integers(0, 10**6))
def test_any_size_renders(height: int, width: int, index: int) -> None:
    image = generated_image(index, 0, height, width)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
