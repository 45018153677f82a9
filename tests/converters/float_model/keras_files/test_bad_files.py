"""Files that are damaged, that are no network, or that hold what is never run: one line each."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from converters.float_model.keras_files.network import load_network
from converters.float_model.keras_files.reader import read_keras_model
from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.measure.file_description.describe import describe_file

Build = Callable[..., Any]


def _network(*middle: Any) -> Any:
    import keras

    layers = keras.layers
    ends = [layers.Flatten(), layers.Dense(2, activation="softmax", name="head")]
    return keras.Sequential([keras.Input((8, 8, 3)), *middle, *ends], name="mine")


def _kernel(file: Any) -> Any:
    head = file["model_weights/head"]
    return head[head.attrs["weight_names"][0]]


def _refused(path: Path, match: str) -> None:
    with pytest.raises(ModelError, match=match) as caught:
        read_keras_model(path, resolution=None)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """The bytes of a ``.keras`` and of a ``.h5`` file."""
    folder = tmp_path_factory.mktemp("whole")
    network = _network()
    network.save(folder / "a.keras")
    network.save(folder / "a.h5")
    return (folder / "a.keras").read_bytes(), (folder / "a.h5").read_bytes()


@pytest.mark.parametrize("name", ["mine.keras", "mine.h5"])
def test_a_lambda_is_named_and_never_run(name: str, tmp_path: Path) -> None:
    import keras

    _network(keras.layers.Lambda(lambda x: x / 255, name="scale")).save(tmp_path / name)
    _refused(tmp_path / name, "holds code that is never run; found the Lambda layer scale")


@pytest.mark.parametrize("name", ["mine.keras", "mine.h5"])
def test_a_network_for_series(name: str, tmp_path: Path) -> None:
    import keras

    rows = [keras.layers.Reshape((8, 24)), keras.layers.LSTM(3, name="memory")]
    _network(*rows).save(tmp_path / name)
    _refused(tmp_path / name, r"no network for single images; found the layer memory \(LSTM\)")


def test_a_layer_of_its_authors(tmp_path: Path) -> None:
    import keras

    class Mine(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    _network(Mine(name="odd")).save(tmp_path / "mine.keras")
    _refused(tmp_path / "mine.keras", r"cannot be rebuilt; found odd \(Mine\).*mine.tflite")


@pytest.mark.parametrize("name", ["mine.keras", "mine.h5"])
@pytest.mark.filterwarnings("ignore:.*not yet been built")
def test_a_network_that_was_never_built(name: str, tmp_path: Path) -> None:
    import keras

    keras.Sequential([keras.layers.Conv2D(3, 3)]).save(tmp_path / name)
    _refused(tmp_path / name, "never built")


@pytest.mark.parametrize("name", ["bare.keras", "bare.h5"])
def test_a_built_sequential_without_weights_is_read(name: str, tmp_path: Path) -> None:
    import keras

    layers = [keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D()]
    keras.Sequential(layers).save(tmp_path / name)
    read = read_keras_model(tmp_path / name, resolution=None)
    assert [operator.name for operator in read.structure.operators] == ["MEAN"]


def test_a_network_that_keras_quantized(tmp_path: Path) -> None:
    network = _network()
    network.layers[-1].quantize("int8")
    network.save(tmp_path / "mine.keras")
    _refused(tmp_path / "mine.keras", "was quantized by Keras; found head")


@pytest.mark.parametrize("config", [5, None, "x", [], {"name": 3}])
def test_a_quantization_that_is_no_configuration(config: Any, tmp_path: Path) -> None:
    dense = {"name": "head", "units": 2, "dtype": {"class_name": "QuantizedX", "config": config}}
    layers = [{"class_name": "Dense", "config": dense}]
    network = {"class_name": "Sequential", "config": {"name": "mine", "layers": layers}}
    with zipfile.ZipFile(tmp_path / "mine.keras", "w") as pack:
        pack.writestr("config.json", json.dumps(network))
        pack.writestr("model.weights.h5", b"")
    (problem,) = describe_file(tmp_path / "mine.keras").problems
    assert "was quantized by Keras: head in" in problem.what


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 8, 8), "channels first"),
        ((192,), "does not take one image"),
        ((8, 8, 4), "does not take one image"),
    ],
)
def test_inputs_that_are_no_image(shape: tuple[int, ...], message: str, tmp_path: Path) -> None:
    import keras

    source = keras.Input(shape)
    scores = keras.layers.Dense(2)(keras.layers.Flatten()(source))
    keras.Model(source, scores).save(tmp_path / "mine.keras")
    _refused(tmp_path / "mine.keras", message)


def test_several_outputs_are_named(tmp_path: Path) -> None:
    import keras

    source = keras.Input((8, 8, 3))
    x = keras.layers.Flatten()(source)
    ends = [keras.layers.Dense(2, name="kind")(x), keras.layers.Dense(1, name="age")(x)]
    keras.Model(source, ends).save(tmp_path / "mine.h5")
    _refused(tmp_path / "mine.h5", "has 2 outputs; found kind, age")


def test_weights_and_optimizer_state_alone(tmp_path: Path) -> None:
    _network().save_weights(tmp_path / "mine.weights.h5")
    _refused(tmp_path / "mine.weights.h5", "holds weights without their network")
    with h5py.File(tmp_path / "state.h5", "w") as file:
        file.create_group("optimizer_weights")
    _refused(tmp_path / "state.h5", "found the state of an optimizer")


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_cut_in_half(which: int, whole: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = tmp_path / "half.keras"
    path.write_bytes(whole[which][: len(whole[which]) // 2])
    _refused(path, "is damaged")


def test_a_zip_bomb(whole: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(io.BytesIO(whole[0])) as source:
        members = {name: source.read(name) for name in source.namelist()}
    members["model.weights.h5"] = bytes(300 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    _refused(path, "unpacks to more than a model takes")


def test_a_huge_declared_data_set(whole: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = tmp_path / "huge.h5"
    path.write_bytes(whole[1])
    with h5py.File(path, "a") as file:
        group = _kernel(file).parent
        del group["kernel"]
        group.create_dataset("kernel", (1 << 20, 1 << 20), "f4", chunks=(64, 64))
    _refused(path, "kernel is said to hold 4398046511104 bytes")


def test_a_network_larger_than_its_weights(whole: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = tmp_path / "large.h5"
    path.write_bytes(whole[1])
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["config"]["units"] = 1 << 34
        file.attrs["model_config"] = json.dumps(config)
    _refused(path, "a network larger than the weights that the file holds")


def test_values_in_another_file(whole: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = tmp_path / "linked.h5"
    path.write_bytes(whole[1])
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel"] = np.zeros((192, 2), np.float32)
    with h5py.File(path, "a") as file:
        group = _kernel(file).parent
        del group["kernel"]
        group["kernel"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "kernel")
    _refused(path, "kernel is a link")
    with h5py.File(path, "a") as file:
        del file["model_weights"]
        file["model_weights"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
    _refused(path, "model_weights is a link")


def test_weights_that_are_not_numbers(whole: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = tmp_path / "nan.h5"
    path.write_bytes(whole[1])
    with h5py.File(path, "a") as file:
        _kernel(file)[0, 0] = np.nan
    _refused(path, "not finite")


@settings(max_examples=60)
@given(
    which=st.sampled_from([0, 1]),
    start=st.floats(0, 1, exclude_max=True),
    junk=st.binary(min_size=1, max_size=24),
)
@example(which=1, start=0.0, junk=b"\x89HDF\r\n\x1a\n\xff\xff\xff\xff")
def test_damage_anywhere_is_an_error_of_ours(
    which: int,
    start: float,
    junk: bytes,
    whole: tuple[bytes, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = bytearray(whole[which])
    position = int(start * len(data))
    data[position : position + len(junk)] = junk
    path = tmp_path_factory.getbasetemp() / "damaged.keras"
    path.write_bytes(data)
    with contextlib.suppress(EdgeEffnetError):  # one line, or the damage changes nothing
        load_network(path)


def test_values_that_do_not_decompress(whole: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = tmp_path / "packed.keras"
    with (
        zipfile.ZipFile(io.BytesIO(whole[0])) as plain,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
        start = packed.getinfo("model.weights.h5").header_offset + 60
    content = bytearray(path.read_bytes())
    content[start : start + 200] = b"\xff" * 200
    path.write_bytes(content)
    _refused(path, r"packed\.keras is damaged")


def test_several_images_at_the_input(tmp_path: Path) -> None:
    import keras

    images = [keras.Input((8, 8, 3), name=name) for name in ("left", "right")]
    keras.Model(images, keras.layers.Add()(images)).save(tmp_path / "mine.keras")
    _refused(tmp_path / "mine.keras", "has 2 inputs; found left, right; .*the image alone")
