"""What cannot be read is refused in one line, and damage never reaches the runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.float_model.tflite_files.reader import read_tflite_model
from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.tflite.editor import pack_tree, read_tree
from edge_effnet.tflite.reader import parse_structure
from tests.converters.float_model.tflite_files.conftest import SIDE, network
from tests.converters.network_builder import NetworkBuilder

WriteFile = Callable[..., Path]


def _other(kind: str) -> bytes:
    builder = NetworkBuilder()
    source = builder.tensor("image", (1, SIDE, SIDE, 3), dtype="int8", scales=np.ones(1))
    scores = builder.tensor("scores", (1, 3), dtype="int8", scales=np.ones(1))
    axes = builder.tensor("axes", (2,), np.array([1, 2], np.int32))
    if kind == "no operator":
        return builder.pack(source, [source])
    if kind == "channels first":
        source = builder.tensor("first", (1, 3, SIDE, SIDE))
    if kind != "quantized":
        scores = builder.tensor("scores", (1, 3))
        if kind != "channels first":
            source = builder.tensor("image", (1, SIDE, SIDE, 3))
    if kind == "loop":
        builder.operator("WHILE", [source], scores)
    elif kind != "nothing makes it":
        builder.operator("MEAN", [source, axes], scores, options="ReducerOptions")
    if kind == "makes nothing":
        builder.operator("MEAN", [source, axes], scores, options="ReducerOptions")
        builder.graph.operators[-1].outputs = np.zeros(0, np.int32)
    return builder.pack(source, [scores] if kind != "no output" else [])


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("quantized", r"quantized already.*edge-effnet evaluate"),
        ("no output", "has no output"),
        ("channels first", "channels first"),
        ("loop", "recurrent layers, loops"),
        ("nothing makes it", "nothing makes"),
        ("makes nothing", "MEAN makes nothing"),
    ],
)
def test_what_cannot_be_read_is_named(file: WriteFile, kind: str, what: str) -> None:
    with pytest.raises(ModelError, match=what):
        read_tflite_model(file(_other(kind)), resolution=None)


def test_a_signature_of_a_tensor_that_is_not_there(file: WriteFile) -> None:
    schema, tree = read_tree(network())
    end, signature = schema.TensorMapT(), schema.SignatureDefT()
    end.name, end.tensorIndex = b"image", 1000
    signature.inputs, signature.outputs, signature.signatureKey = [end], [], b"serving_default"
    tree.signatureDefs = [signature]
    with pytest.raises(ModelError, match="is damaged"):
        read_tflite_model(file(pack_tree(tree)), resolution=None)


def test_a_size_that_the_stated_shapes_hide(file: WriteFile) -> None:
    builder = NetworkBuilder()
    source = builder.tensor("image", (1, SIDE, SIDE, 3))
    size = builder.tensor("size", (2,), np.array([16_000, 16_000], np.int32))
    resized, mean = builder.tensor("resized", (1, 9, 9, 3)), builder.tensor("mean", (1, 3))
    axes = builder.tensor("axes", (2,), np.array([1, 2], np.int32))
    builder.operator("RESIZE_BILINEAR", [source, size], resized, options="ResizeBilinearOptions")
    builder.operator("MEAN", [resized, axes], mean, options="ReducerOptions")
    path = file(builder.pack(source, [mean]))
    with pytest.raises(ModelError, match="needs more memory than the limit"):
        read_tflite_model(path, resolution=None)


def test_the_results_of_many_layers(file: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_EFFNET_MAX_RESULTS_BYTES", "500")
    with pytest.raises(ModelError, match=r"all results of a network together.*RESULTS_BYTES="):
        read_tflite_model(file(network()), resolution=None)


@pytest.mark.parametrize(
    "shape", [(0, 3, 3, 3), (4, 3, 3, 2), (4, 3, 3, 3, 1, 1, 1, 1, 1), (4, -3)]
)
def test_a_shape_that_its_constant_contradicts_never_reaches_the_runtime(
    file: WriteFile, shape: tuple[int, ...]
) -> None:
    _, tree = read_tree(network())
    kernel = next(t for t in tree.subgraphs[0].tensors if t.name == b"kernel")
    kernel.shape = np.array(shape, np.int32)
    with pytest.raises(ModelError, match="is damaged"):
        read_tflite_model(file(pack_tree(tree)), resolution=None)


DAMAGEABLE = network("int8", computed_shape=True)


@settings(max_examples=20)  # most of them run in a process of their own first
@given(st.lists(st.tuples(st.integers(8, len(DAMAGEABLE) - 1), st.integers(0, 255)), max_size=6))
def test_damaged_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(DAMAGEABLE)
    for place, value in changes:
        data[place] = value
    path = tmp_path_factory.mktemp("damaged") / "damaged.tflite"
    path.write_bytes(data)
    try:
        read = read_tflite_model(path, resolution=None)
    except EdgeEffnetError:
        return
    assert parse_structure(read.model, "read").operators
