"""Projections and sums: a few large values are cut off where that leaves a smaller error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from converters.calibration.representative import choose_calibration
from converters.float_model.export import export_image_network
from converters.quantization.candidates import Context
from converters.quantization.ranges import choice as range_choice
from converters.quantization.ranges import narrowing as range_narrowing
from edge_effnet.data.listing import load_images
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import TinyModel, write_image

SIDE = 32


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Of a network with a projection, and grey noise in which a single pixel is white."""
    import keras

    keras.utils.set_random_seed(2)
    layers = keras.layers
    pixels = keras.Input((SIDE, SIDE, 3))
    projected = layers.Conv2D(8, 1, name="project")(pixels)
    seen = layers.Conv2D(16, 3, strides=2, activation="relu")(projected)
    scores = layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(seen))
    model = export_image_network(keras.Model(pixels, scores), SIDE, SIDE, 3)
    folder, random = tmp_path_factory.mktemp("spots"), np.random.default_rng(0)
    for index in range(12):
        image = random.integers(60, 130, (SIDE, SIDE, 3), np.uint8)
        image[index, index] = 255
        write_image(folder / f"{index:02}.png", image)
    spec = Preprocess(SIDE, SIDE, crop=1)
    calibration, _ = choose_calibration(load_images(folder), spec, count=12, seed=0)
    return Context(model, parse_structure(model, "spots"), calibration, "uint8", 1)


def test_a_projection_with_rare_large_values_is_narrowed_and_nothing_else(
    context: Context,
) -> None:
    start = range_choice.by_role(context.start("int8"), context)
    made = range_narrowing.apply(start, context)
    changed = {name for name, ends in made.ranges.items() if ends != start.ranges[name]}
    structure = context.structure
    makers = {structure.tensors[op.outputs[0]].name: op.name for op in structure.operators}
    assert {makers[name] for name in changed} == {"CONV_2D"}
    (name,) = changed
    (low, high), (lower, higher) = made.ranges[name], start.ranges[name]
    assert lower <= low < 0 < high <= higher
    assert (high - low) < 0.95 * (higher - lower)


def test_generated_images_narrow_nothing(context: Context) -> None:
    generated = replace(context.calibration, images=None, generated=4)
    context = replace(context, calibration=generated)
    start = range_choice.by_role(context.start("int8"), context)
    assert range_narrowing.apply(start, context) is start


def test_a_network_of_swishes_keeps_its_ranges(tiny: TinyModel, photos: Path) -> None:
    calibration, _ = choose_calibration(
        load_images(photos), tiny.calibration.preprocess, count=8, seed=0
    )
    context = Context(tiny.model, tiny.structure, calibration, "uint8", 1)
    start = range_choice.by_role(context.start("int8"), context)
    assert range_narrowing.apply(start, context) is start
