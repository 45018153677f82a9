"""A quantized input that cannot hold what is made of pixels."""

from __future__ import annotations

import pytest

from edge_effnet.image.preprocess_text import parse_preprocess
from edge_effnet.image.preprocessing import foreign_preprocess
from edge_effnet.runtime.input_pixels.input_tensor import range_warning
from edge_effnet.runtime.tensors import TensorFormat

SHAPE = (1, 8, 8, 3)
TF = TensorFormat(SHAPE, "int8", 2 / 255, -1)
UNIT = TensorFormat(SHAPE, "uint8", 1 / 255, 0)


@pytest.mark.parametrize(
    ("text", "form", "what"),
    [
        ("raw", TF, "nearly all pixel values are clipped"),
        ("unit", TF, "only 50 % of the range is used"),
        ("tf", UNIT, "50 % of all pixel values are clipped"),
        ("raw", TensorFormat(SHAPE, "int8", 1 / 255, -128), "nearly all"),
        ("unit", TensorFormat(SHAPE, "uint8", 1.0, 0), "only 0 % of the range"),
        ("unit", TensorFormat(SHAPE, "int16", 255 / 32767, 0), "only 0 % of the range"),
    ],
)
def test_a_line_says_what_is_clipped(text: str, form: TensorFormat, what: str) -> None:
    settings = parse_preprocess(text, foreign_preprocess(8, 8, 3))
    line = range_warning(settings, form, "m.tflite")
    assert line is not None
    assert what in line


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("tf", TF),
        ("unit", UNIT),
        ("raw", TensorFormat(SHAPE, "uint8")),
        ("torch", TensorFormat(SHAPE, "int8", 0.01866, -15)),
        ("standardize", UNIT),
        ("raw", TensorFormat(SHAPE, "float32")),
        ("mean=127,std=128", TF),
        ("raw", TensorFormat(SHAPE, "int16", 255 / 32767, 0)),
        ("tf", TensorFormat(SHAPE, "int16", 1 / 32767, 0)),
    ],
)
def test_no_line_where_it_fits(text: str, form: TensorFormat) -> None:
    settings = parse_preprocess(text, foreign_preprocess(8, 8, 3))
    assert range_warning(settings, form, "m.tflite") is None
