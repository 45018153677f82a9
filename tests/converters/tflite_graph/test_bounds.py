"""What a ReLU6 cuts off needs no steps, nor does what is pooled or padded from it."""

from __future__ import annotations

import numpy as np
import pytest

from converters.calibration.ranges import choose_ranges, collect_statistics
from converters.calibration.representative import Calibration
from converters.float_model.export import export_image_network
from converters.tflite_graph.bounds import upper_bounds
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import Structure, parse_structure
from tests.converters.conftest import TinyModel

SIDE = 16


@pytest.fixture(scope="module")
def rectified() -> tuple[bytes, Structure]:
    """ReLU6 behind a convolution, max pooling, a projection, ReLU6 behind a sum."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    pixels = keras.Input((SIDE, SIDE, 3))
    first = layers.ReLU(6)(layers.Conv2D(8, 3, padding="same")(pixels))
    pooled = layers.MaxPooling2D()(first)
    projected = layers.Conv2D(8, 1)(pooled)
    summed = layers.ReLU(6)(layers.Add()([projected, pooled]))
    scores = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(summed))
    model = export_image_network(keras.Model(pixels, scores), SIDE, SIDE, 3)
    return model, parse_structure(model, "rectified")


def makers(structure: Structure) -> dict[str, str]:
    return {structure.tensors[op.outputs[0]].name: op.name for op in structure.operators}


def test_what_comes_from_a_relu6_is_bounded_until_it_is_weighted(
    rectified: tuple[bytes, Structure],
) -> None:
    model, structure = rectified
    bounds = upper_bounds(model)
    assert set(bounds.values()) == {6.0}
    kinds = [makers(structure)[name] for name in bounds]
    assert sorted(kinds) == ["ADD", "CONV_2D", "MAX_POOL_2D", "MEAN"]


def test_ranges_end_at_six(rectified: tuple[bytes, Structure]) -> None:
    model, structure = rectified
    calibration = Calibration(None, 6, Preprocess(SIDE, SIDE), seed=0)
    statistics = collect_statistics(model, structure, calibration, workers=1)
    ranges = choose_ranges(statistics, structure, calibration, model)
    highs = np.array([ranges[name][1] for name in upper_bounds(model)])
    assert highs.max() == 6


def test_a_swish_has_no_bound(tiny: TinyModel) -> None:
    assert upper_bounds(tiny.model) == {}
