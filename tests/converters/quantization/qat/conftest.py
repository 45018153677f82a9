"""A network of one block, so that tracing its training takes seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from converters.calibration.ranges import Ranges, choose_ranges, collect_statistics
from converters.calibration.representative import Calibration
from converters.tflite_graph.graph import read_graph
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import TinyModel

SIDE, CLASSES = 24, 10


@pytest.fixture(scope="session")
def mini() -> TinyModel:
    """Swish, squeeze-and-excite, a skip connection, explicit padding, a fused ReLU6."""
    import keras

    from converters.float_model.export import export_image_network

    keras.utils.set_random_seed(2)
    layers = keras.layers
    source = keras.Input((SIDE, SIDE, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(source)
    x = layers.Conv2D(8, 3, strides=2, activation="relu6", bias_initializer="normal")(x)
    x = layers.ZeroPadding2D(((1, 2), (0, 1)))(x)
    y = layers.Conv2D(16, 1, activation="swish", use_bias=False)(x)
    y = layers.DepthwiseConv2D(3, padding="same", activation="swish")(y)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
    gate = layers.Conv2D(4, 1, activation="swish")(gate)
    gate = layers.Conv2D(16, 1, activation="sigmoid")(gate)
    y = layers.Conv2D(8, 1)(layers.Multiply()([y, gate]))
    x = layers.Activation("relu")(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(64, 1, activation="swish")(x))
    network = keras.Model(source, layers.Dense(CLASSES, activation="softmax")(x))
    model = export_image_network(network, SIDE, SIDE, 3)
    structure = parse_structure(model, "mini")
    calibration = Calibration(None, 24, Preprocess(SIDE, SIDE), seed=0)
    statistics = collect_statistics(model, structure, calibration, workers=1)
    ranges = choose_ranges(statistics, structure, calibration, model)
    return TinyModel(model, structure, ranges, calibration, None)


@pytest.fixture(scope="session")
def clipping(mini: TinyModel) -> Ranges:
    """Ranges that are too narrow nearly everywhere: something to learn."""
    graph = read_graph(mini.model)
    stays = {graph.source, graph.logits}
    return {
        name: (low, high) if name in stays else (0.6 * low, 0.6 * high)
        for name, (low, high) in mini.ranges.items()
    }


@pytest.fixture(scope="session")
def mini_folder(
    mini: TinyModel, clipping: Ranges, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same for another process: ``mini.tflite`` and ``ranges.json``."""
    folder = tmp_path_factory.mktemp("mini-files")
    (folder / "mini.tflite").write_bytes(mini.model)
    (folder / "ranges.json").write_text(json.dumps(clipping))
    return folder
