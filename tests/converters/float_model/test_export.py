"""The exported file computes what the network computes, in plain built-in operators."""

import numpy as np
import pytest

from converters.calibration.dead_leaves import generated_image
from converters.float_model.export import export_network, pixel_affine
from edge_effnet.architecture.scaling import scaled_variant
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import CLASSES, SIDE, TINY, TinyModel

PLAIN = {
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "LOGISTIC",
    "MUL",
    "ADD",
    "MEAN",
    "SOFTMAX",
}


def _run(model: bytes, pixels: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None])
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])


def test_the_file_gives_the_networks_scores(tiny: TinyModel) -> None:
    for index in range(3):
        pixels = generated_image(index, 2, SIDE, SIDE).astype(np.float32)
        expected = np.asarray(tiny.network(pixels[None]))[0]  # type: ignore[operator]
        np.testing.assert_allclose(_run(tiny.model, pixels), expected, atol=1e-5)


@pytest.mark.parametrize("base", ["b0", "lite0", "edgetpu-s", "v2-b0", "v2-s"])
def test_batch_is_1_and_operators_are_plain(base: str) -> None:
    from edge_effnet.network.build import build

    spec = scaled_variant(-9, base=VARIANTS[base])
    network = build(spec, classes=4, resolution=64)
    structure = parse_structure(export_network(network, spec), base)
    assert {operator.name for operator in structure.operators} <= PLAIN
    assert structure.tensors[structure.inputs[0]].shape == (1, 64, 64, 3)
    assert structure.tensors[structure.outputs[0]].shape == (1, 4)


def test_the_stored_normalization_wins_over_the_rows() -> None:
    from edge_effnet.network.build import NORMALIZATION_LAYER, build, set_layer_weights

    network = build(TINY, classes=CLASSES, resolution=SIDE)
    identity = [np.zeros(3), np.ones(3), np.array(0)]
    set_layer_weights(network.get_layer(NORMALIZATION_LAYER), identity)
    scale, offset = pixel_affine(network, TINY)
    np.testing.assert_allclose(scale, 1 / 255, rtol=1e-6)
    np.testing.assert_allclose(offset, 0, atol=1e-7)
