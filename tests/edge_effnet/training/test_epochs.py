"""When an epoch of fine-tuning takes the place of the last layer alone."""

from __future__ import annotations

import numpy as np
import pytest

from edge_effnet.training.epochs import gained_more_than_luck


@pytest.mark.parametrize(
    ("gained", "lost", "enough"),
    [
        (0, 0, False),
        (1, 0, False),  # one image is the standard error of one image
        (2, 0, True),
        (4, 3, False),
        (16, 10, True),
        (3, 9, False),
    ],
)
def test_it_has_to_gain_more_than_one_standard_error(gained: int, lost: int, enough: bool) -> None:
    images = 100
    wrong_at_first = range(gained)
    right = np.ones(images, np.bool_)
    right[images - lost :] = False
    assert gained_more_than_luck(wrong_at_first, right) == enough
