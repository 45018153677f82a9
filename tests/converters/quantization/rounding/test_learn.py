"""Learned rounding of whole networks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from converters.accuracy import candidates as workshop
from converters.accuracy.candidates import Workshop
from converters.accuracy.strategies import ladder
from converters.quantization.quantizer import quantize
from converters.quantization.range_search import logits
from converters.quantization.recipes import RECIPES
from converters.quantization.rounding.layer_problem import find_lessons
from converters.quantization.rounding.learn import can_round, learn_rounding
from converters.quantization.rounding.patches import kernel_size, rows_of
from converters.tflite_graph.activations import observe
from converters.tflite_graph.graph import read_graph
from converters.tflite_graph.layers import quantized_layers
from edge_effnet.tflite.editor import writable_constant, writable_scales
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import CLASSES, TinyModel, signal_to_noise
from tests.converters.quantization.test_equalize import MakeExport, export  # noqa: F401 (a fixture)


def coarse(small: bytes, model: bytes, factor: int) -> bytes:
    """The same model with kernels on a grid that many times as wide: fewer bits in all but type."""
    edited = bytearray(small)
    for layer in quantized_layers(parse_structure(small, "small"), parse_structure(model, "model")):
        kernel = writable_constant(edited, layer.kernel).view(np.int8)
        kernel[:] = np.rint(kernel / factor).astype(np.int8)
        bias = writable_constant(edited, layer.bias).view(np.int32)
        bias[:] = np.rint(bias / factor).astype(np.int32)
        for tensor in (layer.kernel, layer.bias):
            writable_scales(edited, tensor)[:] *= factor
    return bytes(edited)


def test_coarse_kernels_answer_nearer_to_float(tiny: TinyModel) -> None:
    pictures = list(tiny.calibration.inputs())
    small = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    before = coarse(small, tiny.model, 24)
    done: list[tuple[int, int]] = []
    after = learn_rounding(
        tiny.model, before, pictures, workers=2, progress=lambda *step: done.append(step)
    )
    assert done[-1][0] == done[-1][1] == len(done)
    wanted, *answers = (
        logits(m, tiny.structure, pictures, workers=2) for m in (tiny.model, before, after)
    )
    ratios = [signal_to_noise(wanted, answer) for answer in answers]
    assert ratios[1] > ratios[0] + 0.5


def test_only_kernels_their_steps_and_biases_change(tiny: TinyModel) -> None:
    small = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "int8")
    pictures = list(islice(tiny.calibration.inputs(), 8))
    learned = learn_rounding(tiny.model, small, pictures, workers=2)
    assert len(learned) == len(small)
    ours, theirs = (parse_structure(model, "model") for model in (small, learned))
    assert ours.operators == theirs.operators
    layers = quantized_layers(ours, tiny.structure)
    constants = {index for layer in layers for index in (layer.kernel, layer.bias)}
    for index, (before, after) in enumerate(zip(ours.tensors, theirs.tensors, strict=True)):
        same = (
            writable_constant(bytearray(small), index),
            writable_constant(bytearray(learned), index),
        )
        if index not in constants:
            assert before == after
            np.testing.assert_array_equal(*same)
        else:
            ratio = np.array(after.scales) / np.array(before.scales)
            assert (ratio <= 1.0001).all()
            assert (ratio >= 0.6999).all()
    assert learned != small


@pytest.mark.parametrize("name", ["b0", "lite0", "edgetpu-s"])
def test_rows_times_kernel_are_what_the_layer_makes(
    export: Callable[[str], bytes],  # noqa: F811
    name: str,
) -> None:
    """Strides, padding, depthwise and dense layers, against the runtime's own kernels."""
    model = export(name)
    graph, structure = read_graph(model), parse_structure(model, "model")
    places = {tensor.name: index for index, tensor in enumerate(structure.tensors)}
    makers = {structure.tensors[op.outputs[0]].name: op for op in structure.operators}
    random = np.random.default_rng(0)
    shape = structure.tensors[structure.inputs[0]].shape[1:]
    picture = random.uniform(0, 255, shape).astype(np.float32)
    nodes = {node.output: node for node in graph.nodes}
    for output, weights in graph.layers.items():
        node, operator = nodes[output], makers[output]
        stored = structure.tensors[operator.inputs[1]].shape
        ((values, made),) = observe(
            model,
            [operator.inputs[0], places[output]],
            [picture],
            lambda _, seen: [part.copy() for part in seen],
            workers=1,
        )
        chosen = slice(1, None, 3) if made.size > made.shape[-1] else slice(None)
        rows = rows_of(values, node, kernel_size(stored), chosen)
        kernel = np.moveaxis(weights.kernel, -1, 0).reshape(len(weights.bias), -1)
        if node.kind == "DEPTHWISE_CONV_2D":
            sums = np.einsum("rtc,ct->rc", rows, kernel)
        else:
            sums = rows.reshape(len(rows), -1) @ kernel.T
        sums = sums + weights.bias
        if node.activation != "linear":
            sums = np.clip(sums, 0, 6 if node.activation == "relu6" else None)
        wanted = made.reshape(-1, made.shape[-1])[chosen]
        np.testing.assert_allclose(sums, wanted, atol=1e-3 * max(np.abs(wanted).max(), 1e-3))


def test_rows_come_from_everywhere_and_from_every_picture(tiny: TinyModel) -> None:
    small = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "int8")
    structure, graph = parse_structure(small, "small"), read_graph(tiny.model)
    nodes = {node.output: node for node in graph.nodes}
    pictures = 96
    found = list(find_lessons(structure, tiny.structure, graph, pictures))
    assert len(found) > 20
    for lesson in found:
        shape = nodes[structure.tensors[lesson.layer.output].name].shape
        rows = np.arange(int(np.prod(shape[:-1])))
        seen = [rows[lesson.chosen(place)] for place in range(pictures)]
        assert min(map(len, seen)) > 0
        if len(shape) == 4:
            lines, counts = np.unique(np.concatenate(seen) // shape[2], return_counts=True)
            assert len(lines) == shape[1]
            assert counts.max() < 3 * counts.mean()


@pytest.mark.parametrize("count", [1, 12, 40, 64, 72, 128, 200])
def test_no_picture_both_teaches_and_judges_where_there_are_enough(
    tiny: TinyModel, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibration = replace(tiny.calibration, generated=count)
    shop = Workshop(tiny.model, tiny.structure, calibration, "int8", 2)
    taught, judged = list[int](), list[int]()

    def numbers(pictures: Sequence[object]) -> list[int]:
        return [next(i for i, own in enumerate(shop._pictures) if own is p) for p in pictures]

    def learn(_model: bytes, small: bytes, pictures: Sequence[object], **_: object) -> bytes:
        taught.extend(numbers(pictures))
        return small

    def answer(_model: bytes, _: object, pictures: Sequence[object], **__: object) -> object:
        judged.extend(numbers(pictures))
        return np.eye(len(pictures), CLASSES)

    monkeypatch.setattr(workshop, "learn_rounding", learn)
    monkeypatch.setattr(workshop, "logits", answer)
    shop._nearer(b"before", shop._rounded(b"before", lambda *_: None))
    assert taught
    assert judged
    assert len(set(taught)) == len(taught) <= 128
    if count >= 40:
        assert not {*taught} & {*judged}


def test_a_network_of_another_kind_is_left_alone(tiny: TinyModel) -> None:
    import keras
    import tensorflow as tf

    assert can_round(tiny.model)
    source = keras.Input((16, 16, 3), batch_size=1)
    peaks = keras.layers.GlobalMaxPooling2D()(keras.layers.Conv2D(4, 3, activation="tanh")(source))
    foreign = keras.Model(source, keras.layers.Dense(3)(peaks))
    assert not can_round(tf.lite.TFLiteConverter.from_keras_model(foreign).convert())
    rungs = {rung.name for rung in ladder(rounding=False)}
    assert {rung.name for rung in ladder()} - rungs == {"rounded"}
