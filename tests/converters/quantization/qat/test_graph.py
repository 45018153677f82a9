"""From the float file to plain data and back."""

from itertools import islice

import pytest

from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.activations import logits
from converters.tflite_graph.graph import Weights, integer_biases, read_graph, write_weights
from edge_effnet.errors import ModelError
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import CLASSES, SIDE, TinyModel


def test_every_layer_is_read_with_its_weights(tiny: TinyModel) -> None:
    graph = read_graph(tiny.model)
    names = [operator.name for operator in tiny.structure.operators]
    layers = sum(names.count(kind) for kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"))
    assert len(graph.layers) == layers
    assert graph.shape == (1, SIDE, SIDE, 3)
    assert graph.nodes[-1].shape == (1, CLASSES)
    # The normalization of pixels is exact as it is, and nothing else.
    assert [node.kind for node in graph.nodes if node.output in graph.exact] == [
        "DEPTHWISE_CONV_2D"
    ]


def test_writing_back_what_was_read_changes_no_answer(tiny: TinyModel) -> None:
    images = list(islice(tiny.calibration.inputs(), 3))
    again = write_weights(tiny.model, read_graph(tiny.model).layers)
    before = logits(tiny.model, tiny.structure, images, workers=1)
    assert (logits(again, tiny.structure, images, workers=1) == before).all()
    assert len(again) < 1.02 * len(tiny.model)


def test_a_shared_bias_becomes_the_layers_own(tiny: TinyModel) -> None:
    # Fresh networks have many biases of zeros, which the converter stores once.
    stored = [op.inputs[2] for op in tiny.structure.operators if len(op.inputs) > 2]
    shared = next(index for index in stored if stored.count(index) > 1)
    users = [
        tiny.structure.tensors[op.outputs[0]].name
        for op in tiny.structure.operators
        if len(op.inputs) > 2 and op.inputs[2] == shared
    ]
    graph = read_graph(tiny.model)
    changed = Weights(graph.layers[users[0]].kernel, graph.layers[users[0]].bias + 1)
    again = read_graph(write_weights(tiny.model, {users[0]: changed}))
    assert (again.layers[users[0]].bias == changed.bias).all()
    for name in users[1:]:
        assert (again.layers[name].bias == graph.layers[name].bias).all()


def test_the_integer_models_biases_are_the_float_ones_rounded(tiny: TinyModel) -> None:
    small = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    layers = read_graph(tiny.model).layers
    biases = integer_biases(small)
    assert set(layers) - set(biases) == {read_graph(tiny.model).logits}  # has none, being zeros
    for name, bias in biases.items():
        assert bias == pytest.approx(layers[name].bias, abs=1e-3)


def test_unknown_operators_are_refused_by_name() -> None:
    import keras

    from converters.float_model.export import export_image_network

    source = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="tanh")(source)
    scores = keras.layers.Dense(2)(keras.layers.GlobalMaxPooling2D()(x))
    model = export_image_network(keras.Model(source, scores), 8, 8, 3)
    assert {"TANH", "REDUCE_MAX"} & {op.name for op in parse_structure(model, "odd").operators}
    with pytest.raises(ModelError, match=r"does not know all operators.*REDUCE_MAX"):
        read_graph(model)
