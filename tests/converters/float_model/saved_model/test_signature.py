"""SavedModel folders through the signature they serve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converters.float_model.keras_files.reader import read_keras_model
from edge_effnet.errors import ModelError
from tests.converters.float_model.conftest import Pixels, answers
from tests.converters.float_model.saved_model.conftest import Export, tensorflow_network


@pytest.mark.parametrize("batch", [None, 2])
def test_batch_is_1_and_variables_are_constants(
    batch: int | None, export: Export, tmp_path: Path, pixels: Pixels
) -> None:
    network = export(batch)
    read = read_keras_model(tmp_path / "saved", resolution=None)
    np.testing.assert_allclose(answers(read.model, pixels), network(pixels), atol=1e-4)
    names = {operator.name for operator in read.structure.operators}
    assert not names & {"VAR_HANDLE", "READ_VARIABLE", "SHAPE", "PACK", "STRIDED_SLICE"}
    assert read.origin["file"] == "saved"
    assert read.found is not None
    assert read.found.reason == "a rescaling inside the network"


def test_an_open_size_takes_the_resolution(export: Export, tmp_path: Path) -> None:
    export(side=None)
    read = read_keras_model(tmp_path / "saved", resolution=48)
    assert read.structure.tensors[read.structure.inputs[0]].shape == (1, 48, 48, 3)
    with pytest.raises(ModelError, match=r"images of any size.*saved --resolution 224 --int8"):
        read_keras_model(tmp_path / "saved", resolution=None)


def test_two_outputs_are_refused_by_name(export: Export, tmp_path: Path) -> None:
    export(outputs=2)
    with pytest.raises(ModelError, match=r"saved has 2 outputs; found output_0, output_1"):
        read_keras_model(tmp_path / "saved", resolution=None)


def test_constants_beside_the_network(tmp_path: Path, pixels: Pixels) -> None:
    """Given statistics are constants beside the network."""
    import keras

    layers = keras.layers
    steps = [
        layers.Normalization(mean=[100.0, 110, 120], variance=[900.0, 1000, 1100]),
        layers.Conv2D(4, 3, activation="gelu"),
        layers.BatchNormalization(),
        layers.SpatialDropout2D(0.2),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.5),
        layers.Dense(3),
    ]
    network = keras.Sequential([keras.Input((32, 32, 3)), *steps])
    network.export(tmp_path / "saved", verbose=False)
    read = read_keras_model(tmp_path / "saved", resolution=None)
    expected = network(pixels, training=False)
    np.testing.assert_allclose(answers(read.model, pixels), expected, atol=1e-4)


def test_pixels_of_uint8(tmp_path: Path, pixels: Pixels) -> None:
    import tensorflow as tf

    network = tensorflow_network(tf, tf.uint8, lambda x: tf.cast(x, tf.float32) / 255.0)
    tf.saved_model.save(network, str(tmp_path / "saved"), signatures=network.answer)
    read = read_keras_model(tmp_path / "saved", resolution=None)
    whole = pixels.astype(np.uint8)
    found = answers(read.model, whole.astype(np.float32))
    np.testing.assert_allclose(found, network.answer(whole), atol=1e-5)


def test_integers_that_are_computed_with(tmp_path: Path) -> None:
    import tensorflow as tf

    network = tensorflow_network(tf, tf.uint8, lambda x: tf.cast(x // 2, tf.float32))
    tf.saved_model.save(network, str(tmp_path / "saved"), signatures=network.answer)
    with pytest.raises(ModelError, match=r"computes with the integers.*FloorDiv of uint8"):
        read_keras_model(tmp_path / "saved", resolution=None)


@pytest.mark.parametrize("damage", ["cut", "no variables"])
def test_a_damaged_folder(damage: str, export: Export, tmp_path: Path) -> None:
    export()
    if damage == "cut":
        file = tmp_path / "saved" / "saved_model.pb"
        file.write_bytes(file.read_bytes()[:-700])
    else:
        for file in (tmp_path / "saved" / "variables").iterdir():
            file.unlink()
    with pytest.raises(ModelError, match="cannot be loaded as a SavedModel"):
        read_keras_model(tmp_path / "saved", resolution=None)


def test_operators_that_tflite_does_not_have_are_named_with_the_folder(tmp_path: Path) -> None:
    import keras

    tf = keras.src.utils.module_utils.tensorflow
    folder = tmp_path / "flexible"
    image = tf.TensorSpec([1, 8, 8, 3], tf.float32)
    call = tf.function(lambda x: {"y": tf.raw_ops.Erfinv(x=x / 300)[:, 0, 0]}, [image])
    tf.saved_model.save(tf.Module(), str(folder), call.get_concrete_function())
    with pytest.raises(ModelError, match=r"flexible: the network cannot be expressed.*Erfinv"):
        read_keras_model(folder, resolution=None)


def test_images_that_are_changed_at_random_are_refused(tmp_path: Path) -> None:
    """What Keras 3 exports of a network that augments does so in every answer."""
    import keras

    layers = keras.layers
    network = keras.Sequential([keras.Input((16, 16, 3)), layers.RandomRotation(0.1)])
    network.add(layers.GlobalAveragePooling2D())
    network.export(tmp_path / "saved", verbose=False)
    with pytest.raises(ModelError, match=r"at random.*found \w*Random.*fix: save it with") as said:
        read_keras_model(tmp_path / "saved", resolution=None)
    assert str(said.value).startswith(str(tmp_path / "saved"))
    network.save(tmp_path / "saved.keras")
    read = read_keras_model(tmp_path / "saved.keras", resolution=None)
    assert [operator.name for operator in read.structure.operators] == ["MEAN"]
