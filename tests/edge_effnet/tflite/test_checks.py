"""Files whose parts contradict each other are refused before a runtime opens them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.errors import ModelError
from edge_effnet.files.limits import ACTIVATION_BYTES
from edge_effnet.tflite.checks import refuse_malformed
from edge_effnet.tflite.editor import pack_tree, read_tree
from tests.converters.float_model.tflite_files.conftest import Stored, image, network
from tests.converters.network_builder import NetworkBuilder, answer

Change = Callable[[Any], None]


def changed(change: Change) -> bytes:
    """A small int8 network after one change of its object tree."""
    tree = read_tree(network("int8"))[1]
    change(tree)
    return pack_tree(tree)


def tensor(tree: Any, name: str) -> Any:
    return next(one for one in tree.subgraphs[0].tensors if one.name == name.encode())


def settings(tree: Any, operator: int) -> Any:
    return tree.subgraphs[0].operators[operator].builtinOptions


def put(target: Callable[[Any], Any], attribute: str, value: Any) -> Change:
    return lambda tree: setattr(target(tree), attribute, value)


def main(tree: Any) -> Any:
    return tree.subgraphs[0]


def operator(place: int) -> Callable[[Any], Any]:
    return lambda tree: tree.subgraphs[0].operators[place]


def kernel(tree: Any) -> Any:
    return tensor(tree, "kernel")


def quantization(tree: Any) -> Any:
    return tensor(tree, "kernel").quantization


def scales(*values: float) -> Any:
    return np.array(values, np.float32)


CONVOLUTION, RESHAPE, DENSE, SOFTMAX = range(4)

BROKEN = {
    "a negative side": (put(kernel, "shape", [4, -3, 3, 3]), r"shape \[4, -3, 3, 3\]"),
    "more values than are stored": (put(kernel, "shape", [4, 3, 3, 64]), "108 bytes for int8"),
    "no type": (put(kernel, "type", -1), "unknown type"),
    "a scale below 0": (put(quantization, "scale", scales(1, -1, 1, 1)), "a scale of -1.0"),
    "no number": (put(quantization, "scale", scales(1, np.nan, 1, 1)), "a scale of nan"),
    "infinite": (put(quantization, "scale", scales(1, np.inf, 1, 1)), "a scale of inf"),
    "a scale too few": (put(quantization, "scale", scales(1, 1, 1)), "3 scales and 4 zero"),
    "a zero point of 96 and more": (
        put(quantization, "zeroPoint", np.array([0, 0, 4096, 0])),
        "zero point outside of int8",
    ),
    "no such axis": (put(quantization, "quantizedDimension", 7), "dimension 7 of 4"),
    "another axis": (put(quantization, "quantizedDimension", 3), "4 scales for 3 channels"),
    "an input that is left out": (put(operator(CONVOLUTION), "inputs", [-1, 3, 2]), "left out"),
    "no weights": (put(operator(DENSE), "inputs", [4]), "1 inputs and 1 outputs"),
    "an input of another graph": (put(operator(CONVOLUTION), "inputs", [96, 3, 2]), "reference"),
    "a circle": (put(operator(CONVOLUTION), "inputs", [1, 3, 2]), "reads what nothing made"),
    "an output twice": (put(operator(DENSE), "outputs", [1]), "writes what is there already"),
    "an output into weights": (put(operator(DENSE), "outputs", [3]), "writes what is there"),
    "weights as input": (put(main, "inputs", [3]), "an input that is no input"),
    "no such output": (put(main, "outputs", [96]), "a reference to a part that its"),
    "a stride of 0": (
        lambda tree: setattr(settings(tree, CONVOLUTION), "strideW", 0),
        "a stride, dilation or window of 0",
    ),
    "an endless softmax": (
        lambda tree: setattr(settings(tree, SOFTMAX), "beta", float("inf")),
        "a beta of inf",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_contradicts_itself_is_refused_with_what_was_found(name: str) -> None:
    change, found = BROKEN[name]
    with pytest.raises(ModelError, match=f"theirs.tflite is damaged; found .*{found}"):
        refuse_malformed(changed(change), "theirs.tflite")


@pytest.mark.parametrize("stored", ["float32", "float16", "int8", "per tensor", "weights only"])
def test_whole_files_pass(stored: Stored) -> None:
    for model in (
        network(stored),
        network(stored, batch=8, computed_shape=True),
        network(stored, open_size=True, old_codes=True),
    ):
        refuse_malformed(model, "theirs.tflite")


def test_a_channel_of_zeros_passes() -> None:
    """TensorFlow's first quantizer, and int16x8 to this day, give it the scale 0."""
    model = changed(put(quantization, "scale", scales(1, 0, 1, 1)))
    refuse_malformed(model, "theirs.tflite")
    assert np.isfinite(answer(model, image())).all()


@pytest.mark.parametrize("stored", ["float32", "float16", "int8"])
def test_shapes_may_be_left_out_of_what_is_computed(stored: Stored) -> None:
    tree = read_tree(network(stored, computed_shape=True))[1]
    for index, one in enumerate(main(tree).tensors):
        if index not in main(tree).inputs and tree.buffers[one.buffer].data is None:
            one.shape, one.shapeSignature = np.array([], np.int32), None
    refuse_malformed(pack_tree(tree), "theirs.tflite")


@pytest.mark.parametrize(
    ("kind", "constants"),
    [
        ("TRANSPOSE", [[0, 3, 1, 2]]),
        ("MEAN", [[1, 2]]),
        ("SLICE", [[0, 1, 1, 0], [1, 2, 2, 3]]),
        ("CONCATENATION", []),
    ],
)
def test_operators_read_tensors_whose_shape_is_left_out(
    kind: str, constants: list[list[int]]
) -> None:
    builder = NetworkBuilder()
    first, source, scores = (
        builder.tensor(name, shape)
        for name, shape in (("image", (1, 8, 8, 3)), ("in", ()), ("out", (1, 4)))
    )
    values = [builder.tensor("to", (len(one),), np.array(one, np.int32)) for one in constants]
    builder.operator("RELU", [first], source)
    options = {"CONCATENATION": {"options": "ConcatenationOptions", "axis": 3}}
    builder.operator(kind, [source, *values], scores, **options.get(kind, {}))
    refuse_malformed(builder.pack(first, [scores]), "theirs.tflite")


def test_every_real_file_passes(reference: Path) -> None:
    files = sorted(reference.rglob("*.tflite"))
    assert len(files) > 25
    for path in files:
        refuse_malformed(path.read_bytes(), path.name)


@pytest.mark.parametrize(
    ("kind", "constants", "found"),
    [
        ("RESHAPE", [[-1, -1]], r"a new shape of \[-1, -1\]"),
        ("TRANSPOSE", [[0, 0, 1, 2]], r"an order of \[0, 0, 1, 2\] for 4 dimensions"),
        ("MEAN", [[1, 9]], r"axes \[1, 9\] of 4 dimensions"),
        ("PAD", [[0, 0, -9, 0, 0, 0, 0, 0]], r"borders of \[0, 0, -9"),
        ("SPACE_TO_BATCH_ND", [[2, 2], [-(10**6), 10**6, 0, 0]], r"borders of \[-1000000"),
        ("SLICE", [[0, 2**28, 0, 0], [1, 1, 8, 3]], r"a slice from \[0, 268435456, 0, 0\]"),
    ],
)
def test_constants_that_lead_out_of_the_image_are_refused(
    kind: str, constants: list[list[int]], found: str
) -> None:
    builder = NetworkBuilder()
    source = builder.tensor("in", (1, 8, 8, 3))
    values = [
        builder.tensor(f"{place}", (len(one),), np.array(one, np.int32))
        for place, one in enumerate(constants)
    ]
    scores = builder.tensor("out", (1, 8, 8, 3))
    builder.operator(kind, [source, *values], scores)
    with pytest.raises(ModelError, match=f"damaged; found {kind} .*{found}"):
        refuse_malformed(builder.pack(source, [scores]), "theirs.tflite")


def test_a_second_graph_is_looked_at_too() -> None:
    builder, other = NetworkBuilder(), NetworkBuilder()
    for one in (builder, other):
        source, scores = one.tensor("in", (1, 4)), one.tensor("out", (1, 4))
        one.operator("RELU", [source], scores)
        one.pack(source, [scores])
    other.graph.operators[0].inputs = np.array([1], np.int32)
    builder.tree.subgraphs.append(other.graph)
    with pytest.raises(ModelError, match="reads what nothing made"):
        refuse_malformed(pack_tree(builder.tree), "two.tflite")


def test_more_memory_than_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = NetworkBuilder()
    source, scores = builder.tensor("in", (1, 9000, 9000, 4)), builder.tensor("out", (1, 4))
    builder.operator("RELU", [source], scores)
    model = builder.pack(source, [scores])
    with pytest.raises(ModelError, match=r"found 1,296,000,016 bytes; expected at most"):
        refuse_malformed(model, "large.tflite")
    monkeypatch.setenv(ACTIVATION_BYTES.variable, "2000000000")
    refuse_malformed(model, "large.tflite")
