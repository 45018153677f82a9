"""Another end behind the features computes what NumPy does, and what is kept stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from edge_effnet.errors import ModelError
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.teaching.backbone import find_features
from edge_effnet.tflite.editor import pack_tree, read_tree
from edge_effnet.tflite.new_end import NewOperator, kept_operators, with_new_end
from edge_effnet.tflite.reader import Structure, parse_structure
from tests.converters.conftest import TinyModel
from tests.edge_effnet.conftest import SIDE, model_bytes

Array = NDArray[np.float32]
COLOURS = model_bytes(np.eye(3, dtype=np.float32))


def ending(source: int, width: int, weights: Array, bias: Array) -> list[NewOperator]:
    made = (1, len(weights))
    return [
        NewOperator("L2_NORMALIZATION", source, "unit", (1, width)),
        NewOperator("FULLY_CONNECTED", "unit", "logits", made, (weights, bias)),
        NewOperator("SOFTMAX", "logits", "scores", made),
    ]


def exchanged(model: bytes, weights: Array, bias: Array) -> tuple[Structure, int, bytes]:
    """The old structure, its features, and the model with scores and features as its outputs."""
    structure = parse_structure(model, "old")
    features = find_features(structure, "old")
    width = structure.tensors[features].elements
    behind = ending(features, width, weights, bias)
    made = with_new_end(model, structure, features, behind, ["scores", features])
    return structure, features, made


def outputs(model: bytes, given: NDArray[Any]) -> list[Array]:
    interpreter = open_bytes(model)
    (image,) = interpreter.get_input_details()
    interpreter.set_tensor(image["index"], given)
    interpreter.invoke()
    return [interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()]


def softmax_of_unit(features: Array, weights: Array, bias: Array) -> Array:
    unit = features.reshape(-1) / np.linalg.norm(features)
    logits = weights @ unit + bias
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@given(
    seed=st.integers(0, 2**32 - 1),
    channels=st.just(3),
    classes=st.integers(1, 40),
    old=st.integers(1, 20),
)
@settings(max_examples=25)
def test_the_new_layers_compute_what_numpy_does(
    seed: int, channels: int, classes: int, old: int
) -> None:
    random = np.random.default_rng(seed)
    model = model_bytes(random.normal(size=(old, channels)).astype(np.float32))
    weights = random.normal(scale=3, size=(classes, channels)).astype(np.float32)
    bias = random.normal(size=classes).astype(np.float32)
    _, _, made = exchanged(model, weights, bias)
    image = random.uniform(0.1, 255, (1, SIDE, SIDE, channels)).astype(np.float32)
    scores, features = outputs(made, image)
    np.testing.assert_allclose(features.reshape(-1), image.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(scores[0], softmax_of_unit(features, weights, bias), atol=2e-6)


@pytest.fixture(scope="module")
def int8(tiny: TinyModel) -> bytes:
    return quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")


@pytest.fixture(scope="module", params=["float32", "int8"])
def network(request: pytest.FixtureRequest, tiny: TinyModel, int8: bytes) -> bytes:
    return tiny.model if request.param == "float32" else int8


def new_end(network: bytes) -> tuple[Structure, int, bytes]:
    structure = parse_structure(network, "network")
    width = structure.tensors[find_features(structure, "network")].elements
    random = np.random.default_rng(3)
    weights = random.normal(size=(7, width)).astype(np.float32)
    return exchanged(network, weights, np.zeros(7, np.float32))


def test_operators_and_weights_that_stay_are_the_same(network: bytes) -> None:
    structure, features, made = new_end(network)
    kept = kept_operators(structure, features)
    _, old = read_tree(network)
    _, new = read_tree(made)
    for place, index in enumerate(kept):
        before, after = old.subgraphs[0].operators[index], new.subgraphs[0].operators[place]
        assert everything(after) == everything(before)
        assert kind(new, after) == kind(old, before)
        for tensor in {*before.inputs, *before.outputs} - {-1}:
            one, other = old.subgraphs[0].tensors[tensor], new.subgraphs[0].tensors[tensor]
            assert everything(other) == everything(one)
            assert content(new, other) == content(old, one)
    assert len(new.subgraphs[0].operators) == len(kept) + 3


def everything(table: Any) -> Any:
    """All fields of a table of the schema's package, and of the tables in it."""
    if isinstance(table, np.ndarray | list | tuple):
        return [everything(one) for one in table]
    if hasattr(table, "__dict__"):
        return {name: everything(value) for name, value in vars(table).items()}
    return table


def kind(tree: Any, operator: Any) -> tuple[int, int]:
    code = tree.operatorCodes[operator.opcodeIndex]
    return code.builtinCode, code.version


def content(tree: Any, tensor: Any) -> bytes:
    data = tree.buffers[tensor.buffer].data
    return b"" if data is None else bytes(np.asarray(data, np.uint8))


def test_buffers_are_aligned_as_the_schema_demands(network: bytes) -> None:
    from ai_edge_litert import schema_py_generated as schema

    _, _, made = new_end(network)
    assert len(made) % 16 == 0
    model = schema.Model.GetRootAs(made)
    starts = [
        buffer._tab.Vector(buffer._tab.Offset(4))
        for buffer in map(model.Buffers, range(model.BuffersLength()))
        if buffer.DataLength()
    ]
    assert len(starts) > 3
    assert {start % 16 for start in starts} == {0}


def test_the_weights_of_the_old_layer_go_where_they_lie_at_the_end(int8: bytes) -> None:
    structure, features, made = new_end(int8)
    layer = next(op for op in structure.operators if features in op.inputs)
    _, old = read_tree(int8)
    weights = content(old, old.subgraphs[0].tensors[layer.inputs[1]])
    assert len(weights) > 1000
    assert weights in int8
    assert weights not in made


def test_an_end_that_was_exchanged_is_cut_off_when_it_is_exchanged_again(network: bytes) -> None:
    made = new_end(network)[2]
    again = new_end(made)[2]
    assert new_end(again)[2] == again
    assert len(again) <= len(made)


def test_several_operators_may_share_or_repeat_a_code() -> None:
    """The model of these tests lists FULLY_CONNECTED once for each operator."""
    _, tree = read_tree(COLOURS)
    tree.operatorCodes += tree.operatorCodes[:1]
    tree.subgraphs[0].operators[0].opcodeIndex = len(tree.operatorCodes) - 1
    weights = np.eye(3, dtype=np.float32)
    _, _, made = exchanged(pack_tree(tree), weights, np.zeros(3, np.float32))
    image = np.full((1, SIDE, SIDE, 3), (10, 200, 30), np.float32)
    assert outputs(made, image)[0].argmax() == 1


def test_several_graphs_are_refused() -> None:
    _, tree = read_tree(COLOURS)
    tree.subgraphs *= 2
    with pytest.raises(ModelError, match="2 graphs"):
        exchanged(pack_tree(tree), np.eye(3, dtype=np.float32), np.zeros(3, np.float32))


def test_weights_outside_are_refused() -> None:
    """As in files of over 2 GB: these refer to a place in the file, which would change."""
    import flatbuffers

    _, tree = read_tree(COLOURS)
    content = bytes(tree.buffers[-1].data)
    tree.buffers[-1].data, tree.buffers[-1].offset, tree.buffers[-1].size = None, 1, len(content)
    place = 0
    for _ in range(2):  # its own length does not depend on the value
        tree.buffers[-1].offset = place or 1 << 20
        builder = flatbuffers.Builder(1024)
        builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
        place = len(builder.Output())
    with pytest.raises(ModelError, match="weights behind it"):
        exchanged(
            bytes(builder.Output()) + content, np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
        )


@given(st.data())
@settings(max_examples=150)
def test_a_damaged_file_raises_only_our_errors(data: st.DataObject) -> None:
    damaged = bytearray(COLOURS)
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(len(damaged) // 2, len(damaged)))]
    weights = np.eye(3, dtype=np.float32)
    try:
        made = exchanged(bytes(damaged), weights, np.zeros(3, np.float32))[2]
    except ModelError:
        return
    assert made[4:8] == b"TFL3"


def kinds(structure: Structure, places: Sequence[int]) -> list[str]:
    return [structure.operators[index].name for index in places]


def test_only_what_the_features_are_computed_by_is_kept() -> None:
    structure = parse_structure(COLOURS, "colours")
    assert kinds(structure, range(len(structure.operators))) == [
        "MEAN", "FULLY_CONNECTED", "SOFTMAX"
    ]  # fmt: skip
    assert kinds(structure, kept_operators(structure, find_features(structure, ""))) == ["MEAN"]
