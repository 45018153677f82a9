"""Whole networks of Keras 3 answer the same as a float ``.tflite``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.float_model.keras_files.reader import read_keras_model
from edge_effnet.errors import ModelError
from tests.converters.float_model.conftest import Pixels, answers, shaken

Check = Callable[..., Any]


def _transfer(**options: Any) -> Any:
    """A network inside a network, its first layers frozen, and a head."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(0)
    source = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="stem_conv")(source)
    x = layers.Activation("swish")(layers.BatchNormalization(name="stem_bn")(x))
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    body = keras.Model(source, layers.BatchNormalization(name="top_bn")(x), name="body")
    body.get_layer("stem_conv").trainable = False
    body.get_layer("stem_bn").trainable = False
    return shaken(
        keras.Sequential(
            [
                keras.Input(options.get("shape", (32, 32, 3)), options.get("batch")),
                *options.get("before", ()),
                body,
                layers.GlobalAveragePooling2D(),
                layers.Dropout(0.2),
                layers.Dense(3, activation="softmax"),
            ]
        )
    )


@pytest.mark.parametrize("name", ["mine.keras", "mine.h5"])
def test_a_nested_network_with_frozen_layers(
    name: str, same_answers: Check, pixels: Pixels
) -> None:
    read = same_answers(_transfer(), pixels, name)
    assert read.structure.tensors[read.structure.inputs[0]].shape == (1, 32, 32, 3)
    assert read.notices == ()


def test_what_a_file_is_does_not_depend_on_its_name(tmp_path: Path, pixels: Pixels) -> None:
    network = _transfer()
    network.save(tmp_path / "mine.h5")
    renamed = (tmp_path / "mine.h5").rename(tmp_path / "mine.keras")
    read = read_keras_model(renamed, resolution=None)
    np.testing.assert_allclose(answers(read.model, pixels), network(pixels), atol=1e-4)


def test_a_fixed_batch_becomes_one(same_answers: Check, pixels: Pixels) -> None:
    read = same_answers(_transfer(batch=2), pixels, "mine.h5")
    assert read.structure.tensors[read.structure.inputs[0]].shape == (1, 32, 32, 3)
    assert "takes 2 images at once" in read.notices[0]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_rebuilt_in_float32(
    policy: str, same_answers: Check, pixels: Pixels
) -> None:
    import keras

    keras.mixed_precision.set_global_policy(policy)
    try:
        network = _transfer(before=[keras.layers.Rescaling(1 / 255)])
    finally:
        keras.mixed_precision.set_global_policy("float32")
    read = same_answers(network, pixels, tolerance=2e-2)  # bfloat16 itself is no better
    assert f"trained in {policy}" in read.notices[0]
    kinds = {read.structure.tensors[i].dtype for i in (*read.structure.inputs,)}
    assert kinds == {"float32"}


def test_augmentation_leaves_nothing_in_the_file(same_answers: Check, pixels: Pixels) -> None:
    import keras

    layers = keras.layers
    augmentation = [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)]
    read = same_answers(_transfer(before=[keras.Sequential(augmentation)]), pixels)
    plain = same_answers(_transfer(), pixels)
    assert [op.name for op in read.structure.operators] == [
        op.name for op in plain.structure.operators
    ]
    assert "random_flip, random_rotation" in read.notices[0]


@pytest.mark.parametrize("kind", ["Resizing", "RandomCrop"])
@pytest.mark.parametrize("sequential", [False, True])
def test_a_change_to_the_size_that_an_image_has(
    kind: str, sequential: bool, same_answers: Check, pixels: Pixels
) -> None:
    import keras

    steps = [getattr(keras.layers, kind)(32, 32), keras.layers.GlobalAveragePooling2D()]
    source = keras.Input((32, 32, 3))
    if sequential:
        same_answers(keras.Sequential([source, *steps]), pixels)
    else:
        same_answers(keras.Model(source, steps[1](steps[0](source))), pixels)


def test_a_random_crop_that_keras_3_leaves_out(tmp_path: Path) -> None:
    import keras

    steps = [keras.layers.RandomCrop(24, 24, name="crop"), keras.layers.GlobalAveragePooling2D()]
    keras.Sequential([keras.Input((32, 32, 3)), *steps]).save(tmp_path / "mine.keras")
    with pytest.raises(ModelError, match=r"found crop \(RandomCrop\).*CenterCrop in its place"):
        read_keras_model(tmp_path / "mine.keras", resolution=None)


def test_a_function_that_is_not_in_the_file_is_said_to_be_guessed(tmp_path: Path) -> None:
    import keras

    def preprocess_input(x: Any) -> Any:
        return x / 127.5 - 1

    source = keras.Input((32, 32, 3))
    x = keras.layers.Lambda(preprocess_input)(source)
    body = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(2, 3)])
    body.name = "mobilenetv2_1.00_224"
    network = keras.Model(source, keras.layers.GlobalAveragePooling2D()(body(x)))
    network.save(tmp_path / "mine.keras")
    (line,) = read_keras_model(tmp_path / "mine.keras", resolution=None).notices
    assert "mine.keras does not hold its function preprocess_input" in line
    assert "keras.applications.mobilenet_v2: x / 127.5 - 1" in line


def test_what_keras_says_while_the_network_is_exported_is_one_line(tmp_path: Path) -> None:
    """A crop that leaves nothing of an image of this size: Keras only sees it then."""
    import keras

    source = keras.Input((None, None, 3))
    x = keras.layers.Cropping2D(20)(source)
    keras.Model(source, keras.layers.GlobalAveragePooling2D()(x)).save(tmp_path / "mine.keras")
    with pytest.raises(
        ModelError, match=r"run on one image of 32x32; found Values in `crop"
    ) as caught:
        read_keras_model(tmp_path / "mine.keras", resolution=32)
    assert "\n" not in str(caught.value)


def test_an_open_size_takes_the_resolution(tmp_path: Path, pixels: Pixels) -> None:
    import keras

    source = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(source))
    x = keras.layers.GlobalAveragePooling2D()(x)
    network = keras.Model(source, keras.layers.Dense(3, activation="softmax")(x))
    network.save(tmp_path / "open.keras")
    read = read_keras_model(tmp_path / "open.keras", resolution=32)
    np.testing.assert_allclose(answers(read.model, pixels), network(pixels), atol=1e-4)
    with pytest.raises(ModelError, match=r"any size.*open\.keras --resolution 224 --int8"):
        read_keras_model(tmp_path / "open.keras", resolution=None)


@pytest.mark.parametrize("shape", [(32, 32, 1), (32, 32)])
def test_grey_networks(shape: tuple[int, ...], tmp_path: Path, pixels: Pixels) -> None:
    import keras

    network = keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    )
    network.save(tmp_path / "grey.h5")
    read = read_keras_model(tmp_path / "grey.h5", resolution=None)
    grey = pixels[..., :1] / 255
    expected = np.asarray(network(grey.reshape(2, *shape)))
    np.testing.assert_allclose(answers(read.model, grey), expected, atol=1e-4)
    assert read.structure.tensors[read.structure.inputs[0]].shape[3] == 1
    assert read.found is None


def test_the_users_file_is_not_touched(tmp_path: Path) -> None:
    _transfer(batch=2).save(tmp_path / "mine.h5")
    before = (tmp_path / "mine.h5").read_bytes()
    read_keras_model(tmp_path / "mine.h5", resolution=None)
    assert (tmp_path / "mine.h5").read_bytes() == before
