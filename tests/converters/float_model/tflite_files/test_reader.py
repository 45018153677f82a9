"""Files as their authors left them become float models with a batch of 1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.float_model.file_source import from_file
from converters.float_model.tflite_files.editable import unpacked
from converters.float_model.tflite_files.reader import read_tflite_model
from edge_effnet.errors import ModelError, UsageProblem
from edge_effnet.image.preprocess_text import preprocess_text
from edge_effnet.tflite.editor import has_old_operator_codes, read_tree
from tests.converters.float_model.tflite_files.conftest import (
    CLASSES,
    SIDE,
    image,
    kernels,
    network,
)
from tests.converters.network_builder import NetworkBuilder, answer

WriteFile = Callable[..., Path]
PLAIN = ["CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]


def test_what_needs_nothing_stays_byte_for_byte(file: WriteFile) -> None:
    model = network()
    read = read_tflite_model(file(model), resolution=None)
    assert read.model == model
    assert (read.notices, read.steps) == ((), ())


@pytest.mark.parametrize("stored", ["float16", "int8", "per tensor", "weights only"])
def test_rounded_weights_come_back_as_they_are_stored(file: WriteFile, stored: str) -> None:
    read = read_tflite_model(file(network(stored)), resolution=None)  # type: ignore[arg-type]
    assert [operator.name for operator in read.structure.operators] == PLAIN
    assert {tensor.dtype for tensor in read.structure.tensors} == {"float32", "int32"}
    kernel = next(t for t in read.structure.tensors if t.name == "kernel")
    assert not kernel.scales
    np.testing.assert_allclose(answer(read.model, image()), answer(network(), image()), atol=0.01)
    assert "rounded" in read.notices[0]
    assert read.steps[0]["step"] == "expanded"


def test_the_weights_are_exactly_the_stored_ones(file: WriteFile) -> None:
    _, tree = read_tree(read_tflite_model(file(network("int8")), resolution=None).model)
    stored = next(t for t in tree.subgraphs[0].tensors if t.name == b"kernel")
    values = np.asarray(tree.buffers[stored.buffer].data).view(np.float32).reshape(stored.shape)
    scale = np.abs(kernels()[0]).max((1, 2, 3), keepdims=True) / 127
    np.testing.assert_array_equal(values, np.rint(kernels()[0] / scale) * scale)


@pytest.mark.parametrize(
    ("bits", "stored", "expected"),
    [(4, [0xF1, 0x87], [1, -1, 7, -8]), (2, [0b11_10_01_00], [0, 1, -2, -1])],
)
def test_several_values_in_a_byte(bits: int, stored: list[int], expected: list[int]) -> None:
    assert unpacked(np.array(stored, np.uint8), bits, 4).tolist() == expected


def test_dynamic_inputs_are_no_longer_rounded(file: WriteFile) -> None:
    _, tree = read_tree(read_tflite_model(file(network("int8")), resolution=None).model)
    options = [operator.builtinOptions for operator in tree.subgraphs[0].operators]
    assert not any(getattr(one, "asymmetricQuantizeInputs", False) for one in options)


def test_operator_codes_of_2019_are_in_both_fields(file: WriteFile) -> None:
    read = read_tflite_model(file(network(old_codes=True)), resolution=None)
    assert has_old_operator_codes(network(old_codes=True))
    assert not has_old_operator_codes(read.model)
    np.testing.assert_array_equal(answer(read.model, image()), answer(network(), image()))


def test_a_shape_computed_at_run_time_is_a_constant(file: WriteFile) -> None:
    read = read_tflite_model(file(network(computed_shape=True)), resolution=None)
    assert [operator.name for operator in read.structure.operators] == PLAIN
    np.testing.assert_array_equal(answer(read.model, image()), answer(network(), image()))


@pytest.mark.parametrize("computed", [False, True])
def test_a_fixed_batch_becomes_1(file: WriteFile, computed: bool) -> None:
    model = network(batch=32, computed_shape=computed)
    read = read_tflite_model(file(model), resolution=None)
    activations = [t for t in read.structure.tensors if not t.constant_bytes]
    assert {tensor.shape[0] for tensor in activations} == {1}
    many = answer(model, np.repeat(image(), 32, axis=0))
    np.testing.assert_allclose(answer(read.model, image())[0], many[7], atol=1e-6)


def test_a_batch_that_a_constant_spreads(file: WriteFile) -> None:
    builder = NetworkBuilder()
    source = builder.tensor("image", (4, SIDE, SIDE, 3))
    axes = builder.tensor("axes", (2,), np.array([1, 2], np.int32))
    mean, scores = builder.tensor("mean", (4, 3)), builder.tensor("scores", (4, 3))
    each = builder.tensor("each", (4, 3), np.arange(12, dtype=np.float32).reshape(4, 3))
    builder.operator("MEAN", [source, axes], mean, options="ReducerOptions")
    builder.operator("ADD", [mean, each], scores, options="AddOptions")
    path = file(builder.pack(source, [scores]))
    with pytest.raises(ModelError, match=r"theirs\.tflite is made for a fixed batch.*4 answers"):
        read_tflite_model(path, resolution=None)


def test_an_open_image_size_takes_the_resolution(file: WriteFile) -> None:
    read = read_tflite_model(file(network(open_size=True)), resolution=24)
    source = read.structure.tensors[read.structure.inputs[0]]
    assert (source.shape, source.open_shape) == ((1, 24, 24, 3), ())
    assert answer(read.model, np.ones((1, 24, 24, 3), np.float32)).shape == (1, CLASSES)


def test_an_open_image_size_is_asked_for(file: WriteFile) -> None:
    with pytest.raises(UsageProblem, match=r"size of its images open.*--resolution 224 --int8"):
        read_tflite_model(file(network(open_size=True)), resolution=None)


def test_a_fixed_image_size_is_not_changed(file: WriteFile) -> None:
    with pytest.raises(UsageProblem, match="fixed image size"):
        read_tflite_model(file(network()), resolution=2 * SIDE)


def test_grey_images(file: WriteFile) -> None:
    read = read_tflite_model(file(network(channels=1)), resolution=None)
    assert answer(read.model, image(1)).shape == (1, CLASSES)


def test_equal_names_are_told_apart(file: WriteFile) -> None:
    builder = NetworkBuilder()
    source = builder.tensor("x", (1, SIDE, SIDE, 3))
    axes = builder.tensor("x", (2,), np.array([1, 2], np.int32))
    mean = builder.tensor("x", (1, 3))
    builder.operator("MEAN", [source, axes], mean, options="ReducerOptions")
    read = read_tflite_model(file(builder.pack(source, [mean])), resolution=None)
    assert len({tensor.name for tensor in read.structure.tensors}) == 3


def test_a_new_name_is_none_that_is_there(file: WriteFile) -> None:
    builder = NetworkBuilder()
    source = builder.tensor("x_2", (1, SIDE, SIDE, 3))
    axes = builder.tensor("x", (2,), np.array([1, 2], np.int32))
    mean = builder.tensor("x", (1, 3))
    scores = builder.tensor("x_2", (1, 3))
    builder.operator("MEAN", [source, axes], mean, options="ReducerOptions")
    builder.operator("SOFTMAX", [mean], scores, options="SoftmaxOptions", beta=1.0)
    read = read_tflite_model(file(builder.pack(source, [scores])), resolution=None)
    names = [tensor.name for tensor in read.structure.tensors]
    assert len(set(names)) == len(names) == 4


def _behind(kind: str, dtype: str, shape: tuple[int, ...], *constants: Any) -> bytes:
    """The mean of each channel, behind an operator that makes a float image with channels last."""
    builder = NetworkBuilder()
    source = builder.tensor("image", shape, dtype=dtype)
    pixels = builder.tensor("pixels", (1, SIDE, SIDE + 2, 3))
    more = [builder.tensor(f"constant{i}", v.shape, v) for i, v in enumerate(constants)]
    builder.operator(kind, [source, *more], pixels)
    axes = builder.tensor("axes", (2,), np.array([1, 2], np.int32))
    mean = builder.tensor("mean", (1, 3))
    builder.operator("MEAN", [pixels, axes], mean, options="ReducerOptions")
    return builder.pack(source, [mean])


def test_integer_pixels_are_fed_as_they_are(file: WriteFile) -> None:
    read = read_tflite_model(
        file(_behind("CAST", "uint8", (1, SIDE, SIDE + 2, 3))), resolution=None
    )
    source = read.structure.tensors[read.structure.inputs[0]]
    assert (source.dtype, source.shape) == ("float32", (1, SIDE, SIDE + 2, 3))
    assert read.found is not None
    assert read.found.settings.passes_pixels
    assert [operator.name for operator in read.structure.operators] == ["MEAN"]


def test_signed_pixels_are_fed_as_what_fits_in(file: WriteFile) -> None:
    theirs = file(_behind("CAST", "int8", (1, SIDE, SIDE + 2, 3)))
    read = read_tflite_model(theirs, resolution=None)
    assert read.found is not None
    assert (read.found.settings.mean, read.found.settings.std) == ((128.0,), (1.0,))
    assert read.found.reason == "its int8 input"


def test_integers_around_a_float_network_are_taken_off(file: WriteFile) -> None:
    builder = NetworkBuilder()
    unit, rounded = np.array([1 / 255], np.float32), np.array([1 / 256], np.float32)
    source = builder.tensor("image", (1, SIDE, SIDE, 3), dtype="uint8", scales=unit)
    pixels, mean = builder.tensor("pixels", (1, SIDE, SIDE, 3)), builder.tensor("mean", (1, 3))
    axes = builder.tensor("axes", (2,), np.array([1, 2], np.int32))
    scores = builder.tensor("scores", (1, 3), dtype="uint8", scales=rounded)
    builder.operator("DEQUANTIZE", [source], pixels)
    builder.operator("MEAN", [pixels, axes], mean, options="ReducerOptions")
    builder.operator("QUANTIZE", [mean], scores)
    theirs = builder.pack(source, [scores])
    path = file(theirs)
    read = read_tflite_model(path, resolution=None)
    assert [operator.name for operator in read.structure.operators] == ["MEAN"]
    levels = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8)
    exact = answer(read.model, levels.astype(np.float32) / 255)
    np.testing.assert_allclose(answer(theirs, levels) / 256, exact, atol=0.5 / 256 + 1e-6)
    evidence = from_file(path, labels=None, preprocess=None).evidence
    assert evidence is not None
    assert evidence.reason == "the scale of its input tensor"
    assert preprocess_text(evidence.settings) == "unit,fit=squash"


def test_channels_first_become_channels_last(file: WriteFile) -> None:
    order = np.array([0, 2, 3, 1], np.int32)
    theirs = _behind("TRANSPOSE", "float32", (1, 3, SIDE, SIDE + 2), order)
    read = read_tflite_model(file(theirs), resolution=None)
    source = read.structure.tensors[read.structure.inputs[0]]
    assert source.shape == (1, SIDE, SIDE + 2, 3)
    pixels = np.random.default_rng(0).random((1, SIDE, SIDE + 2, 3)).astype(np.float32)
    first = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(answer(read.model, pixels), answer(theirs, first), atol=1e-6)


def test_wild_files_answer_as_their_own_runtime_did(reference: Path) -> None:
    import json

    import cv2

    wild = reference / "wild"
    photos = sorted((reference / "images" / "imagenet_calibration").glob("*.jp*g"))[::50]
    described = json.loads((wild / "expected.json").read_text())["files"]
    names = ["malaria_float", "leaves_float_batch32", "leaves_float16", "hand_grey_float"]
    for name in names:
        read = read_tflite_model(wild / f"{name}.tflite", resolution=None)
        height, width, channels = read.structure.tensors[read.structure.inputs[0]].shape[1:]
        told = described[f"{name}.tflite"]
        for path, expected in zip(photos, told["output"], strict=True):
            pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            if channels == 1:
                pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
            pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
            fed = pixels.reshape(1, height, width, channels).astype(np.float32)
            given_back = answer(read.model, fed / told["pixels_divided_by"])[0]
            np.testing.assert_allclose(given_back, expected, atol=1e-3, err_msg=name)
