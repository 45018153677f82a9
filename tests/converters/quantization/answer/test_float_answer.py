"""The answer in float: the last pooling, layer and softmax, with the layer's weights in int8."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from converters.accuracy.strategies import default_strategy
from converters.float_model.export import export_image_network
from converters.quantization.answer.float_answer import (
    FloatAnswer,
    find_float_answer,
    store_answer_in_int8,
)
from converters.quantization.candidates import Context
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.activations import Image, logits
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.runtime.tensors import quantize_in, tensor_format
from edge_effnet.tflite.constants import layer_kernel
from edge_effnet.tflite.reader import Structure, parse_structure
from tests.converters.conftest import CLASSES, TinyModel, signal_to_noise

INT8 = RECIPES["int8"]


@pytest.fixture(scope="module")
def answer(tiny: TinyModel) -> FloatAnswer:
    found = find_float_answer(tiny.model, tiny.structure)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def mixed(tiny: TinyModel, answer: FloatAnswer) -> bytes:
    return quantize(
        tiny.model,
        INT8,
        tiny.ranges,
        "uint8",
        left_float=answer.tensors,
        float_answer=answer,
    )


@pytest.fixture(scope="module")
def images(tiny: TinyModel) -> list[Image]:
    return list(islice(tiny.calibration.inputs(), 8))


def test_it_begins_at_the_last_pooling(tiny: TinyModel, answer: FloatAnswer) -> None:
    kinds = {tiny.structure.tensors[op.outputs[0]].name: op.name for op in tiny.structure.operators}
    assert kinds[answer.layer] == "FULLY_CONNECTED"
    assert sorted(kinds[name] for name in answer.others) == ["MEAN", "SOFTMAX"]


def test_all_before_it_is_integer_and_the_weights_too(mixed: bytes) -> None:
    made = parse_structure(mixed, "mixed")
    names = [operator.name for operator in made.operators]
    assert names[-5:] == ["DEQUANTIZE", "MEAN", "FULLY_CONNECTED", "MUL", "SOFTMAX"]
    assert names.count("DEQUANTIZE") == 1
    read = made.operators[names.index("DEQUANTIZE")].inputs[0]
    assert made.tensors[read].dtype == "int8"
    weights = made.tensors[made.operators[names.index("FULLY_CONNECTED")].inputs[1]]
    assert (weights.dtype, weights.scales) == ("int8", (1.0,))  # of any runtime, see the module
    assert made.tensors[made.inputs[0]].dtype == "uint8"
    assert made.tensors[made.outputs[0]].dtype == "float32"


def test_scores_are_nearer_to_floats_than_on_256_levels(
    tiny: TinyModel, mixed: bytes, images: list[Image]
) -> None:
    integer = quantize(tiny.model, INT8, tiny.ranges, "uint8")
    expected = _scores(tiny.model, images)
    errors = [np.abs(_scores(m, images) - expected).sum(axis=1).mean() for m in (integer, mixed)]
    assert errors[1] < errors[0]
    assert _scores(mixed, images).min() > 0
    assert _scores(mixed, images).sum(axis=1) == pytest.approx(np.ones(len(images)), abs=1e-5)


def test_the_last_layer_itself_loses_next_to_nothing(
    tiny: TinyModel, answer: FloatAnswer, images: list[Image]
) -> None:
    """With all in front of it in float, only its weights and what it reads are rounded."""
    made = store_answer_in_int8(tiny.model, answer)
    answers = [logits(m, tiny.structure, images, workers=1) for m in (tiny.model, made)]
    assert signal_to_noise(*answers) > 30


def test_who_reads_the_file_finds_the_weights_in_real_units(tiny: TinyModel, mixed: bytes) -> None:
    """So two files are seen to be of one network, however each stores it."""
    kernels = []
    for model in (tiny.model, mixed):
        structure = parse_structure(model, "model")
        dense = next(op for op in structure.operators[::-1] if op.name == "FULLY_CONNECTED")
        kernels.append(layer_kernel(model, structure, dense))
    assert kernels[1] == pytest.approx(kernels[0], abs=float(np.abs(kernels[0]).max()) / 127)


def test_the_edge_tpu_and_full_integer_keep_an_integer_answer(tiny: TinyModel) -> None:
    free = Context(tiny.model, tiny.structure, tiny.calibration, "uint8", 2)
    whole = Context(tiny.model, tiny.structure, tiny.calibration, "uint8", 2, full_integer=True)
    made = {
        "int8": default_strategy(INT8).make(free),
        "full": default_strategy(INT8, full_integer=True).make(whole),
        "edgetpu": default_strategy(RECIPES["edgetpu"]).make(free),
    }
    outputs = {name: _output(parse_structure(one.model, name)) for name, one in made.items()}
    assert outputs == {"int8": "float32", "full": "uint8", "edgetpu": "uint8"}


@pytest.mark.parametrize("kind", ["no dense layer", "no other layer"])
def test_only_a_dense_layer_behind_others_answers_in_float(kind: str) -> None:
    from keras import Sequential, layers

    dense = [layers.Flatten(), layers.Dense(CLASSES), layers.Softmax()]
    pooled = [layers.Conv2D(CLASSES, 3), layers.GlobalAveragePooling2D(), layers.Softmax()]
    network = Sequential([layers.Input((8, 8, 3)), *(dense if "other" in kind else pooled)])
    model = export_image_network(network, 8, 8, 3)
    assert find_float_answer(model, parse_structure(model, kind)) is None


def _output(structure: Structure) -> str:
    output = structure.tensors[structure.outputs[0]]
    assert output.shape == (1, CLASSES)
    return output.dtype


def _scores(model: bytes, images: list[Image]) -> np.ndarray:
    interpreter = open_bytes(model)
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = []
    for image in images:
        stored = quantize_in(image, tensor_format(source))[None]
        interpreter.set_tensor(source["index"], stored)
        interpreter.invoke()
        scale, zero_point = sink["quantization"]
        row = interpreter.get_tensor(sink["index"])[0].astype(np.float32)
        rows.append((row - zero_point) * (scale or 1.0))
    return np.stack(rows)
