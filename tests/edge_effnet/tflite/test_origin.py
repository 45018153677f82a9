"""Who wrote a file, as far as it tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.tflite.origin import Origin, read_origin
from edge_effnet.tflite.reader import Structure, parse_structure


def origin(path: Path) -> Origin:
    model = path.read_bytes()
    return read_origin(model, parse_structure(model, path.name))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("teachable/fruit6/model.tflite", "TensorFlow's first converter (TOCO, until 2020)"),
        ("wild/malaria_float.tflite", "TensorFlow's converter, version 2.20.0"),
        (
            "models/lite0_flowers5_modelmaker_int8.tflite",
            "TFLite Model Maker, TensorFlow's converter",
        ),
        (
            "wild/edgeimpulse_detector.tflite",
            "TensorFlow's converter, version 2.11.1; its input is named and quantized as in "
            "Edge Impulse's exports",
        ),
    ],
)
def test_the_converter_and_its_version(file: str, line: str, reference: Path) -> None:
    assert origin(reference / file).line() == line


def test_a_tool_that_is_known_otherwise_goes_first() -> None:
    found = Origin("TensorFlow's converter", None, "a hint")
    assert found.line("Edge Impulse") == "Edge Impulse, TensorFlow's converter"
    assert Origin(None, None).line() is None


@given(st.binary(max_size=200))
def test_damaged_bytes_say_nothing(noise: bytes) -> None:
    metadata = {"CONVERSION_METADATA": noise, "TFLITE_METADATA": noise}
    read_origin(noise, Structure((), (), (), (), metadata))
