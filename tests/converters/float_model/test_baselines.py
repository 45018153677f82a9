"""Peers' networks: their weights are the official ones, their preprocessing is in the graph."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest

from converters.float_model.baseline_source import from_baseline, pixel_matrix
from converters.float_model.baselines import BASELINES, FOLDER, Pixels
from converters.float_model.export import export_peer
from edge_effnet.errors import WeightsError
from tests.conftest import RunCommand

MODULES = {
    "mobilenetv2": "mobilenet_v2",
    "mobilenetv3": "mobilenet_v3",
    "resnet50": "resnet",
    "inceptionv3": "inception_v3",
}


def scores(model: bytes, pixels: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None])
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


@pytest.mark.parametrize("mode", ["tf", "torch", "caffe"])
def test_the_pixel_matrix_is_what_keras_does(mode: Pixels) -> None:
    from keras.applications.imagenet_utils import preprocess_input

    pixels = np.random.default_rng(0).uniform(0, 255, (2, 5, 4, 3)).astype(np.float32)
    matrix, offset = pixel_matrix(mode)
    expected = preprocess_input(pixels.copy(), mode=mode)
    np.testing.assert_allclose(pixels @ matrix.T + offset, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("row", BASELINES.values(), ids=lambda row: row.name)
def test_a_row_says_what_keras_publishes(row) -> None:  # type: ignore[no-untyped-def]
    module = importlib.import_module(
        "keras.src.applications." + MODULES.get(row.name, row.name[:8].rstrip("1"))
    )
    source = inspect.getsource(module)
    assert row.md5 is None or row.md5 in source
    assert (row.md5 is None) == ("file_hash" not in source)
    assert Path(row.weights_file).parts[0] in source
    assert FOLDER in source
    if row.name != "mobilenetv3":  # its preprocess_input does nothing: a layer of it does
        assert f'mode="{row.pixels}"' in source
    assert row.maker in source


def test_a_peer_takes_pixels_and_answers_as_in_keras() -> None:
    import keras
    from keras.applications.imagenet_utils import preprocess_input

    keras.utils.set_random_seed(3)
    inside = keras.Input((8, 8, 3))
    kept = keras.layers.Conv2D(4, 3, activation="relu")(inside)
    answer = keras.layers.Dense(5, activation="softmax")(
        keras.layers.GlobalAveragePooling2D()(kept)
    )
    network = keras.Model(inside, answer)
    pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 3)).astype(np.float32)
    expected = np.asarray(network(preprocess_input(pixels[None].copy(), mode="caffe")))
    made = scores(export_peer(network, *pixel_matrix("caffe")), pixels)
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_weights_of_the_official_layout_are_taken(tmp_path: Path) -> None:
    import h5py
    import keras
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    keras.utils.set_random_seed(5)
    theirs = keras.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3))
    path = tmp_path / "mobilenet_v2.h5"
    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, theirs)
    source = from_baseline(BASELINES["mobilenetv2"], weights=str(path), resolution=32)
    pixels = np.random.default_rng(2).integers(0, 256, (32, 32, 3)).astype(np.float32)
    expected = np.asarray(theirs(pixels[None] / 127.5 - 1))
    np.testing.assert_allclose(scores(source.model, pixels), expected, atol=1e-5)
    assert source.labels is not None
    assert len(source.labels) == 1000
    assert source.weights["sha256"]
    assert source.steps[0]["pixels"] == "tf"
    with pytest.raises(WeightsError, match="does not fit mobilenetv3"):
        from_baseline(BASELINES["mobilenetv3"], weights=str(path), resolution=32)


def test_weights_are_the_published_ones_or_none(
    edge_effnet: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # no connection
    altered = tmp_path / "densenet121_weights_tf_dim_ordering_tf_kernels.h5"
    altered.write_bytes(b"something else")
    with pytest.raises(WeightsError, match=f"{altered} is not the published file"):
        from_baseline(BASELINES["densenet121"], weights="auto")
    assert altered.read_bytes() == b"something else"
    with pytest.raises(WeightsError, match="no published checksum"):
        from_baseline(BASELINES["mobilenetv2"], weights="imagenet")
    both = edge_effnet("convert", "--baseline", "vgg16", "--variant", "b0", "--out", tmp_path)
    assert both.returncode == 2
    assert "found --variant and --baseline" in both.stderr
