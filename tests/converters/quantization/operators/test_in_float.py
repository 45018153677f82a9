"""A network with an operator that has no int8 kernel converts, and the user is told."""

from __future__ import annotations

from pathlib import Path

import pytest

import converters
from edge_effnet.errors import ModelError
from edge_effnet.tflite.reader import read_structure
from tests.converters.quantization.operators.test_integer import model


@pytest.fixture
def sine(tmp_path: Path) -> Path:
    path = tmp_path / "sine.tflite"
    path.write_bytes(model("SIN"))
    return path


def test_it_stays_float_in_the_file_and_in_the_report(sine: Path, photos: Path) -> None:
    out = sine.parent / "out"
    made = converters.convert(sine, out=out, preprocess="unit", calibration=photos)
    assert any("1 × SIN of sine stay in float" in line for line in made.warnings)
    names = [operator.name for operator in read_structure(out / "sine-int8.tflite").operators]
    assert names[1:-1] == ["CONV_2D", "DEQUANTIZE", "SIN", "QUANTIZE", "MEAN"]


def test_the_edge_tpu_refuses_it_before_any_work(sine: Path, photos: Path) -> None:
    out = sine.parent / "out"
    with pytest.raises(ModelError, match="sine cannot become full integer"):
        converters.convert(
            sine, out=out, preprocess="unit", calibration=photos, recipes=("edgetpu",)
        )
    assert not list(out.glob("*.tflite"))
