"""An int8 file without the normalization that changes no code takes the same bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from converters.calibration.ranges import choose_ranges, collect_statistics
from converters.calibration.representative import Calibration
from converters.float_model.export import export_network
from converters.quantization.pixel_codes import without_identity
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.network.build import build
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.tflite.editor import Interface, set_interface
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import TinyModel

SIDE = 48
RAW = Preprocess(SIDE, SIDE)


@dataclass(frozen=True)
class Made:
    """An int8 model with one mean and one deviation inside, by interface."""

    int8: bytes

    def by(self, interface: Interface) -> bytes:
        return set_interface(self.int8, interface)


@pytest.fixture(scope="module")
def lite() -> Made:
    spec = VARIANTS["lite0"]
    model = export_network(build(spec, classes=5, resolution=SIDE), spec)
    structure = parse_structure(model, "lite")
    calibration = Calibration(None, 4, RAW, seed=0)
    statistics = collect_statistics(model, structure, calibration, workers=2)
    ranges = choose_ranges(statistics, structure, calibration, model)
    return Made(quantize(model, RECIPES["int8"], ranges, "int8"))


@pytest.mark.parametrize("interface", ["uint8", "int8"])
def test_it_answers_the_same_to_the_same_bytes(lite: Made, interface: Interface) -> None:
    given = lite.by(interface)
    made = without_identity(given, RAW)
    before, after = (parse_structure(model, "model") for model in (given, made.model))
    assert len(after.operators) == len(before.operators) - 1
    assert after.tensors[after.inputs[0]].name == before.tensors[before.inputs[0]].name
    image = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3))
    stored = (image - 128).astype(np.int8) if interface == "int8" else image.astype(np.uint8)
    assert np.array_equal(_answer(given, stored), _answer(made.model, stored))


def test_the_input_says_what_the_network_makes_of_pixels(lite: Made) -> None:
    made = without_identity(lite.by("uint8"), RAW)
    structure = parse_structure(made.model, "model")
    source = structure.tensors[structure.inputs[0]]
    assert source.scales == pytest.approx([1 / 128])
    assert source.zero_points == (127,)
    assert (made.preprocess.mean, made.preprocess.std) == ((127.0,), (128.0,))
    assert made.preprocess.fitting == RAW.fitting


def test_a_float_input_keeps_it(lite: Made) -> None:
    given = lite.by("float32")
    assert without_identity(given, RAW).model == given


def test_channels_of_their_own_keep_it(tiny: TinyModel) -> None:
    """B0's normalization has a mean and a deviation for each channel."""
    given = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    made = without_identity(given, RAW)
    assert (made.model, made.preprocess) == (given, RAW)


def _answer(model: bytes, stored: np.ndarray) -> np.ndarray:
    interpreter = open_bytes(model)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], stored)
    interpreter.invoke()
    return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
