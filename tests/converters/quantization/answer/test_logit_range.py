"""The logits' range: as wide as the calibration shows, but for images that drown all others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from converters.calibration.ranges import LOGIT_MARGIN
from converters.calibration.representative import choose_calibration
from converters.float_model.export import export_image_network
from converters.quantization import quantizer
from converters.quantization.answer import logit_range
from converters.quantization.answer.logit_range import choose_logit_range, sigmoid, softmax
from converters.quantization.candidates import Context, Step, run_steps
from converters.quantization.ranges import choice as range_choice
from converters.tflite_graph.activations import logits
from converters.tflite_graph.error_metrics import outlying, typical_share
from edge_effnet.data.listing import load_images
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import write_image

SIDE, CLASSES = 16, 5


@pytest.fixture
def ordinary() -> np.ndarray:
    return np.random.default_rng(0).normal(scale=3, size=(100, 10)).astype(np.float32)


def with_outliers(ordinary: np.ndarray) -> np.ndarray:
    """The same, with two images of logits fifty times as large."""
    found = ordinary.copy()
    found[:2] *= 50
    return found


def test_ordinary_logits_are_not_clipped(ordinary: np.ndarray) -> None:
    assert choose_logit_range(ordinary, softmax) is None


@pytest.mark.parametrize("scores", [softmax, sigmoid])
def test_two_outlying_images_do_not_take_the_steps_of_all_others(
    ordinary: np.ndarray, scores: logit_range.Scores
) -> None:
    found = choose_logit_range(with_outliers(ordinary), scores)
    assert found is not None
    low, high = found
    assert LOGIT_MARGIN * ordinary.min() * 1.01 <= low < -3
    assert 3 < high <= LOGIT_MARGIN * ordinary.max() * 1.01


def test_half_of_the_images_are_no_outliers(ordinary: np.ndarray) -> None:
    ordinary[::2] *= 20
    found = choose_logit_range(ordinary, softmax)
    assert found is None or found[1] > 20


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Of a network that gives larger logits the brighter an image is, and images of which two are
    white, all others dark."""
    import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    pixels = keras.Input((SIDE, SIDE, 3))
    seen = layers.Conv2D(16, 3, activation="relu", use_bias=False)(pixels)
    scores = layers.Dense(CLASSES, activation="softmax")(layers.GlobalAveragePooling2D()(seen))
    model = export_image_network(keras.Model(pixels, scores), SIDE, SIDE, 3)
    folder, random = tmp_path_factory.mktemp("dark"), np.random.default_rng(0)
    for index in range(40):
        ends = (200, 256) if index % 20 == 0 else (0, 1 + index % 10)
        write_image(folder / f"{index:02}.png", random.integers(*ends, (SIDE, SIDE, 3), np.uint8))
    calibration, _ = choose_calibration(
        load_images(folder), Preprocess(SIDE, SIDE), count=40, seed=0
    )
    return Context(model, parse_structure(model, "outliers"), calibration, "uint8", 1)


def test_a_network_with_outlying_images_answers_the_others_as_float_does(context: Context) -> None:
    expected = context.statistics().logits
    ordinary_images = ~outlying(expected)
    assert ordinary_images.sum() == 38

    def error(*choose: Step) -> float:
        made = run_steps((*choose, quantizer.apply), context.start("edgetpu"), context)
        answers = logits(made.model, context.structure, context.images(40), workers=1)
        return typical_share(expected, answers)

    assert error(range_choice.by_role, logit_range.apply) < 0.5 * error(range_choice.by_role)


@pytest.mark.parametrize("case", ["sixteen bits", "generated", "in float"])
def test_what_has_steps_enough_or_shows_no_photos_keeps_its_range(
    context: Context, case: str
) -> None:
    if case == "generated":
        context = replace(
            context, calibration=replace(context.calibration, images=None, generated=8)
        )
    recipes = {"sixteen bits": "int16x8", "generated": "edgetpu", "in float": "int8"}
    candidate = context.start(recipes[case])
    assert logit_range.apply(candidate, context) is candidate
