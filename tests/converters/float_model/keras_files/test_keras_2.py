"""Files of Keras 2: what Keras 3 wrote is rewritten as Keras 2 would have, and read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from converters.float_model.keras_files.network import load_network
from edge_effnet.errors import ModelError
from tests.converters.float_model.conftest import Pixels, shaken

Rewrite = Callable[[dict[str, Any]], None]


def as_keras_2(path: Path, *, version: str = "2.4.0", more: Rewrite | None = None) -> None:
    """Rewrite a ``.h5`` in place.

    Args:
        more: changes the configuration further.
    """
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        _old_layer(config)
        if more is not None:
            more(config)
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = version.encode()
        groups = [file["model_weights"], *file["model_weights"].values()]
        for group in groups:
            for key in ("weight_names", "layer_names"):
                if key in group.attrs:
                    group.attrs[key] = [str(name).encode() for name in group.attrs[key]]


def _old_layer(layer: dict[str, Any]) -> None:
    """What Keras 2.4 writes where Keras 3 writes something else."""
    kind, config = layer["class_name"], layer["config"]
    for inner in config.get("layers", []):
        _old_layer(inner)
    if "batch_shape" in config:
        config["batch_input_shape"] = config.pop("batch_shape")
    for key, value in config.items():
        if key == "dtype":
            config[key] = "float32"
        if key.endswith("_initializer") and isinstance(value, dict):
            settings = {**value["config"], "dtype": "float32"}
            config[key] = {"class_name": value["class_name"], "config": settings}
    if kind == "BatchNormalization":
        config["axis"] = [3]
    if kind == "DepthwiseConv2D":
        config["groups"] = 1
    if kind == "LeakyReLU":
        config["alpha"] = config.pop("negative_slope")
    if kind == "Functional":
        names = {x["config"]["name"] for x in config["layers"] if "layers" in x["config"]}
        for inner in config["layers"]:
            inner["inbound_nodes"] = [_old_node(n, names) for n in inner["inbound_nodes"]]
        for end in ("input_layers", "output_layers"):
            name = config[end][0]
            config[end] = [[name, int(name in names), 0]]


def _old_node(node: dict[str, Any], nested: set[str]) -> list[Any]:
    arguments = node["args"][0]
    tensors = arguments if isinstance(arguments, list) else [arguments]
    histories = [tensor["config"]["keras_history"] for tensor in tensors]
    # Keras 2 counts the calls of a nested network from 1: its first is its own making.
    return [[name, call + (name in nested), 0, {}] for name, call, _ in histories]


def _backbone() -> Any:
    import keras

    layers = keras.layers
    source = keras.Input((32, 32, 3))
    x = layers.ZeroPadding2D(1)(source)
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="conv1")(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization(name="bn1")(x))
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Add()([x, layers.LeakyReLU(0.2)(layers.BatchNormalization(name="bn2")(y))])
    body = keras.Model(source, x, name="body")
    body.get_layer("conv1").trainable = False
    body.get_layer("bn1").trainable = False
    return body


def _sequential() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, activation="softmax")]
    return shaken(keras.Sequential([keras.Input((32, 32, 3)), _backbone(), *head]))


def _functional() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    source = keras.Input((32, 32, 3), name="photo")
    x = keras.layers.Activation("linear", name="step")(source)
    x = keras.layers.GlobalAveragePooling2D()(_backbone()(x))
    scores = keras.layers.Dense(3, activation="softmax")(x)
    return shaken(keras.Model(source, scores))


def _answers(path: Path, pixels: Pixels) -> Pixels:
    return np.asarray(load_network(path).network(pixels, training=False))


@pytest.mark.parametrize("make", [_sequential, _functional])
@pytest.mark.parametrize("version", ["2.4.0", "2.2.4-tf"])
def test_a_nested_network(
    make: Callable[[], Any], version: str, tmp_path: Path, pixels: Pixels
) -> None:
    network = make()
    network.save(tmp_path / "old.h5")

    def older(config: dict[str, Any]) -> None:
        text = json.dumps(config).replace('"Functional"', '"Model"')
        config |= json.loads(text)
        if config["class_name"] == "Sequential":  # and no layer for its input
            config["config"]["layers"].pop(0)

    as_keras_2(tmp_path / "old.h5", version=version, more=older if "tf" in version else None)
    np.testing.assert_allclose(_answers(tmp_path / "old.h5", pixels), network(pixels), atol=1e-6)


def test_the_hard_sigmoid_of_keras_2(tmp_path: Path, pixels: Pixels) -> None:
    import keras

    source = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 100)(source))
    network = keras.Model(source, keras.layers.Activation("hard_sigmoid")(x))
    network.save(tmp_path / "old.h5")
    as_keras_2(tmp_path / "old.h5")
    means = pixels.mean(axis=(1, 2)) / 100
    expected = np.clip(0.2 * means + 0.5, 0, 1)
    np.testing.assert_allclose(_answers(tmp_path / "old.h5", pixels), expected, atol=1e-5)


STEPS: dict[str, tuple[dict[str, Any], Callable[[Pixels], Pixels]]] = {
    "math.truediv": ({"y": 127.5}, lambda x: x / 127.5),
    "math.subtract": ({"y": 1.0}, lambda x: x - 1),
    "math.multiply": ({"y": [1.0, 2.0, 3.0]}, lambda x: x * [1, 2, 3]),
    "__operators__.add": ({"y": -103.9}, lambda x: x - 103.9),
    "nn.bias_add": ({"bias": [1.0, 2.0, 3.0]}, lambda x: x + np.arange(1.0, 4.0)),
    "nn.relu6": ({}, lambda x: np.clip(x, 0, 6)),
    "cast": ({"dtype": "float32"}, lambda x: x),
    "clip_by_value": ({"clip_value_min": 9, "clip_value_max": 99}, lambda x: np.clip(x, 9, 99)),
}


def _replaced_step(step: dict[str, Any]) -> Rewrite:
    """Put a layer of Keras 2 in the place of the one called ``step``."""

    def rewrite(config: dict[str, Any]) -> None:
        layers = config["config"]["layers"]
        place = next(i for i, layer in enumerate(layers) if layer["config"]["name"] == "step")
        layers[place] = {"name": "step", "inbound_nodes": layers[place]["inbound_nodes"], **step}

    return rewrite


@pytest.mark.parametrize("function", STEPS)
def test_arithmetic_between_layers(function: str, tmp_path: Path, pixels: Pixels) -> None:
    arguments, expected = STEPS[function]
    network = _functional()
    network.save(tmp_path / "old.h5")
    step = {
        "class_name": "TFOpLambda",
        "config": {"name": "step", "trainable": True, "dtype": "float32", "function": function},
        "inbound_nodes": [["photo", 0, 0, {**arguments, "name": None}]],
    }
    as_keras_2(tmp_path / "old.h5", more=_replaced_step(step))
    found = _answers(tmp_path / "old.h5", pixels)
    wanted = network(np.float32(expected(pixels)))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_constant_on_the_left(tmp_path: Path, pixels: Pixels) -> None:
    network = _functional()
    network.save(tmp_path / "old.h5")
    step = {
        "class_name": "TFOpLambda",
        "config": {"name": "step", "trainable": True, "function": "math.subtract"},
        "inbound_nodes": [["_CONSTANT_VALUE", -1, 255.0, {"y": ["photo", 0, 0], "name": None}]],
    }
    as_keras_2(tmp_path / "old.h5", more=_replaced_step(step))
    np.testing.assert_allclose(
        _answers(tmp_path / "old.h5", pixels), network(255 - pixels), atol=1e-5
    )


def test_a_function_that_is_no_arithmetic_is_named(tmp_path: Path) -> None:
    _functional().save(tmp_path / "old.h5")
    config = {"name": "step", "trainable": True, "function": "io.decode_raw"}
    as_keras_2(
        tmp_path / "old.h5", more=_replaced_step({"class_name": "TFOpLambda", "config": config})
    )
    with pytest.raises(ModelError, match=r"found step \(TFOpLambda\), io.decode_raw, no plain"):
        load_network(tmp_path / "old.h5")


def _lambda(module: str, names: bytes = b"preprocess_input") -> dict[str, Any]:
    code = base64.encodebytes(b"\xe3compiled, never loaded " + names).decode()
    config = {
        "name": "step",
        "trainable": True,
        "dtype": "float32",
        "function": [code, None, None],
        "function_type": "lambda",
        "module": module,
        "arguments": {},
    }
    return {"class_name": "Lambda", "config": config}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("keras.applications.mobilenet_v2", lambda x: x / 127.5 - 1),
        ("tensorflow.python.keras.applications.xception", lambda x: x / 127.5 - 1),
        ("keras.src.applications.efficientnet", lambda x: x),
        ("tf_keras.src.applications.vgg16", lambda x: x[..., ::-1] - [103.939, 116.779, 123.68]),
        (
            "keras.applications.densenet",
            lambda x: (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
        ),
    ],
)
def test_preprocess_input_in_a_lambda(
    module: str, expected: Callable[[Pixels], Pixels], tmp_path: Path, pixels: Pixels
) -> None:
    network = _functional()
    network.save(tmp_path / "old.h5")
    as_keras_2(tmp_path / "old.h5", more=_replaced_step(_lambda(module)))
    loaded = load_network(tmp_path / "old.h5")
    assert len(loaded.update.preprocess) == 1
    found = np.asarray(loaded.network(pixels, training=False))
    np.testing.assert_allclose(found, network(np.float32(expected(pixels))), atol=1e-4)


@pytest.mark.parametrize(
    ("module", "names"),
    [("__main__", b"preprocess_input"), ("keras.applications.vgg16", b"decode_predictions")],
)
def test_any_other_code_is_refused(module: str, names: bytes, tmp_path: Path) -> None:
    _functional().save(tmp_path / "old.h5")
    as_keras_2(tmp_path / "old.h5", more=_replaced_step(_lambda(module, names)))
    with pytest.raises(ModelError, match="never run; found the Lambda layer step"):
        load_network(tmp_path / "old.h5")


def test_what_is_left_is_the_way_with_tf_keras(tmp_path: Path) -> None:
    _functional().save(tmp_path / "old.h5")

    def unknown(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1]["config"]["of_the_future"] = 7

    as_keras_2(tmp_path / "old.h5", more=unknown)
    with pytest.raises(ModelError, match=r"written by Keras 2.*of_the_future.*pip install tf_k"):
        load_network(tmp_path / "old.h5")
