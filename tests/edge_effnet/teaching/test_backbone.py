"""Which part of a classifier is kept, of our own files and of others, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.errors import ModelError
from edge_effnet.teaching.backbone import find_features, open_backbone
from edge_effnet.tflite.reader import Structure, read_structure
from tests.edge_effnet.conftest import model_bytes

MakeModel = Callable[..., Path]

# Of the reference: the features' shape, their type and the operator that makes them; None: refused.
BASES: dict[str, tuple[tuple[int, ...], str, str]] = {
    "models/lite0_flowers5_modelmaker_int8.tflite": ((1, 1280), "int8", "MEAN"),
    "teachable/fruit6/model.tflite": ((1, 1280), "int8", "MEAN"),  # before both dense layers
    "teachable/fruit6/model_unquant.tflite": ((1, 1280), "float32", "MEAN"),
    "wild/custom_int8_input.tflite": ((1, 4608), "int8", "RESHAPE"),
    "wild/garbage_dynamic.tflite": ((1, 1280), "float32", "MEAN"),
    "wild/hand_grey_int8_by_author.tflite": ((1, 2048), "int8", "RESHAPE"),
    "wild/malaria_int8_by_author.tflite": ((1, 4608), "int8", "RESHAPE"),  # three layers
    "edgetpu/mobilenet_edgetpu_0.75_224_post_training_quant/model.tflite": (
        (1, 1, 1, 1280), "int8", "AVERAGE_POOL_2D",
    ),
    "edgetpu/mobilenet_v1_0.25_128_quant/model.tflite": (
        (1, 1, 1, 256), "uint8", "AVERAGE_POOL_2D",
    ),
    "edgetpu/mobilenet_v2_1.0_224_quant/model.tflite": (
        (1, 1, 1, 1280), "uint8", "AVERAGE_POOL_2D",
    ),
}  # fmt: skip
REFUSED = {
    "wild/edgeimpulse_detector.tflite": "is an object detector",
    "wild/leaves_float16.tflite": "takes 32 images at once",
    "wild/malaria_float.tflite": "does not say how pixels become its input",
    "edgetpu/bright_16x16/model.tflite": "has no last layer that could be exchanged",
    "edgetpu/dense_256/model.tflite": "does not take one image",
    "edgetpu/keras_lstm_mnist_ptq/model.tflite": "does not take one image",
    "edgetpu/movenet_single_pose_lightning_ptq/model.tflite": "finds the points of a body",
    "edgetpu/deeplabv3_mnv2_dm05_pascal_quant/model.tflite": "is a segmenter",
    "edgetpu/mobilenet_v1_0.25_128_quant/compiled_edgetpu.tflite": "compiled for the Edge TPU",
}


@pytest.mark.parametrize("name", BASES)
def test_features_are_the_vector_before_the_first_dense_layer(reference: Path, name: str) -> None:
    structure = read_structure(reference / name)
    features = find_features(structure, name)
    tensor = structure.tensors[features]
    (maker,) = [op.name for op in structure.operators if features in op.outputs]
    assert (tensor.shape, tensor.dtype, maker) == BASES[name]


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused(reference: Path, name: str) -> None:
    with pytest.raises(ModelError) as refused:
        open_backbone(reference / name)
    assert REFUSED[name] in str(refused.value)
    assert refused.value.fix
    assert "\n" not in str(refused.value)


def test_weights_in_float16_are_no_features(reference: Path) -> None:
    """They are unpacked by operators of their own, which depend on no image."""
    structure = read_structure(reference / "wild" / "leaves_float16.tflite")
    features = structure.tensors[find_features_of_one_image(structure)]
    assert features.shape[-1] == 256


def find_features_of_one_image(structure: Structure) -> int:
    one = [replace(tensor, shape=(1, *tensor.shape[1:])) for tensor in structure.tensors]
    images = replace(structure, tensors=tuple(one))
    return find_features(images, "leaves")


def test_another_preprocessing_makes_other_features(colour_model: MakeModel) -> None:
    path = colour_model()
    known = open_backbone(path)
    assert known.sha256 == open_backbone(path).sha256
    assert known.sha256 != open_backbone(path, preprocess="torch").sha256


def test_a_preprocessing_for_other_pixels_is_refused(colour_model: MakeModel) -> None:
    with pytest.raises(ModelError, match="has another input than its preprocessing makes"):
        open_backbone(colour_model(), preprocess="channels=grey")


def test_a_file_that_does_not_say_how_pixels_become_its_input(colour_model: MakeModel) -> None:
    path = colour_model(labels=None)
    with pytest.raises(ModelError, match="does not say how pixels become its input"):
        open_backbone(path)
    assert open_backbone(path, preprocess="tf").preprocess.shape == (4, 4, 3)


@pytest.mark.parametrize(
    "content", [b"", b"no model", model_bytes(np.eye(3, dtype=np.float32))[:600]]
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "base.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        open_backbone(path, preprocess="tf")
