"""The plot of what narrowing one group costs."""

from __future__ import annotations

import cv2
import numpy as np

from converters.pruning.selection.sensitivity import SensitivityPoint
from converters.pruning.selection.sensitivity_plot import sensitivity_plot

POINTS = [
    SensitivityPoint(group, "expand", width, 32, 0.1, agreement, None)
    for group, widths in (("block1a", ((24, 0.99), (8, 0.4))), ("block2a", ((16, 0.8),)))
    for width, agreement in widths
]


def test_every_width_of_every_group_is_a_dot_with_its_hint() -> None:
    svg = sensitivity_plot(POINTS, "b0: what it costs", ".svg").decode()
    for words in ("block1a", "block2a", "75% kept", "50% kept", "25% kept", "b0: what it costs"):
        assert f">{words}</text>" in svg
    assert svg.count("channels, ") == 3
    assert "<title>block1a: 8 of 32 channels, 40.0%</title>" in svg


def test_it_is_a_png_where_the_name_says_so() -> None:
    image = cv2.imdecode(np.frombuffer(sensitivity_plot(POINTS, "b0", ".png"), np.uint8), 1)
    assert image is not None
