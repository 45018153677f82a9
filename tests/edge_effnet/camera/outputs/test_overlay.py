"""Answers drawn onto a frame."""

from __future__ import annotations

import numpy as np

from edge_effnet.camera.answers import (
    Decision,
    decide,
)
from edge_effnet.camera.outputs.overlay import draw, plain
from edge_effnet.heads.head import Head
from tests.edge_effnet.camera import conftest

ONE_OF_THREE = Head("softmax", 3)


STOP, GO = np.array([1, 0, 0], np.float32), np.array([0, 0, 1], np.float32)


def test_the_overlay_leaves_the_frame_alone_and_draws_on_any_size() -> None:
    labels = ("stop\0\udcff", "übergang", "東京")  # OpenCV dies of a surrogate
    seen = decide(STOP, labels, ONE_OF_THREE, top=3, threshold=None)
    for width, height in ((640, 480), (64, 48), (3, 2), (1920, 1080)):
        pixels = conftest.plain("red", width, height)
        before = pixels.copy()
        drawn = draw(pixels, [("model", seen), ("float", seen)], status="10 fps \udcff")
        assert np.array_equal(pixels, before)
        assert drawn.shape == pixels.shape
        assert not np.array_equal(drawn, pixels)
    assert plain("übergang, x") == "ubergang"
    assert plain("東京") == "?"
    assert plain("a\0\udcff") == r"a\x00\xff"
    assert draw(pixels, []).shape == pixels.shape
    assert isinstance(seen, Decision)
