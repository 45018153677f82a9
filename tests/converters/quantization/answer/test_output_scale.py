"""Gain correction: logits that came out flatter than float's are stretched again."""

from itertools import islice

import numpy as np
import pytest

from converters.quantization.answer.output_scale import correct_output_scale, output_scale
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.activations import logits
from converters.tflite_graph.segments import logit_names
from edge_effnet.tflite.editor import writable_scales
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import TinyModel


def test_flat_answers_are_stretched_by_scales_alone(tiny: TinyModel) -> None:
    images = list(islice(tiny.calibration.inputs(), 8))
    small = bytearray(quantize(tiny.model, RECIPES["int8"], tiny.ranges, "int8"))
    structure = parse_structure(bytes(small), "small")
    name = logit_names(tiny.structure)[0]
    last = next(op for op in structure.operators if structure.tensors[op.outputs[0]].name == name)
    constants = [index for index in last.inputs[1:] if index >= 0]
    for index in constants:
        writable_scales(small, index)[:] *= 0.85
    expected = logits(tiny.model, tiny.structure, images, workers=1)

    def measured(model: bytes) -> float:
        return output_scale(expected, logits(model, tiny.structure, images, workers=1))

    flat = measured(bytes(small))
    corrected = correct_output_scale(tiny.model, bytes(small), tiny.structure, images, workers=1)
    assert flat < 0.95
    assert measured(corrected) == pytest.approx(1, abs=0.03)
    changed = np.frombuffer(small, np.uint8) != np.frombuffer(corrected, np.uint8)
    scales = 4 * sum(len(structure.tensors[index].scales) for index in constants)
    assert 0 < changed.sum() <= scales


def test_noise_is_no_loss_of_gain() -> None:
    random = np.random.default_rng(0)
    expected = random.normal(size=(60, 1000)).astype(np.float32)
    noisy = expected + random.normal(size=expected.shape).astype(np.float32)
    assert output_scale(expected, noisy) == pytest.approx(1, abs=0.02)
    assert output_scale(expected, 0.8 * noisy + 5) == pytest.approx(0.8, abs=0.02)
