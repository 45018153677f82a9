"""Editing a file changes its interface, never its answers."""

import struct
from pathlib import Path

import numpy as np
import pytest

from converters.calibration.dead_leaves import generated_image
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from edge_effnet.artifact import Card, write_artifact
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.tflite.editor import add_metadata, normalize_layout
from edge_effnet.tflite.flatbuffer import Table
from edge_effnet.tflite.metadata import METADATA_NAME, read_normalization, write_metadata
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import CLASSES, SIDE, TinyModel


def test_all_interfaces_give_bit_identical_scores(tiny: TinyModel, tmp_path: Path) -> None:
    card = Card("tiny", tuple("abcdefghij"), Preprocess(SIDE, SIDE))
    classifiers = []
    for interface in ("uint8", "int8", "float32"):
        path = tmp_path / f"{interface}.tflite"
        write_artifact(path, quantize(tiny.model, RECIPES["int8"], tiny.ranges, interface), card)
        classifiers.append(open_classifier(path))
    for index in range(5):
        pixels = generated_image(index, 9, SIDE, SIDE)
        first, *others = [c.scores_of_input(c.tensor(pixels)) for c in classifiers]
        assert first.shape == (CLASSES,)
        for other in others:
            np.testing.assert_array_equal(first, other)


def test_equal_zero_points_are_stored_once(tiny: TinyModel) -> None:
    from ai_edge_litert import schema_py_generated as schema

    model = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    graph = schema.Model.GetRootAs(model).Subgraphs(0)
    places: dict[bytes, set[int]] = {}
    tensors = 0
    for index in range(graph.TensorsLength()):
        found = graph.Tensors(index).Quantization()
        if found is not None and found.ZeroPointLength() > 1:
            tensors += 1
            field = found._tab.Offset(10)  # zero_point, by the schema
            content = np.asarray(found.ZeroPointAsNumpy()).tobytes()
            places.setdefault(content, set()).add(found._tab.Vector(field))
    assert 0 < len(places) < tensors
    assert all(len(starts) == 1 for starts in places.values())


def test_the_signature_follows_the_new_interface(tiny: TinyModel) -> None:
    from ai_edge_litert.interpreter import Interpreter

    model = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    interpreter = Interpreter(model_content=model)
    run = interpreter.get_signature_runner()
    (name,) = run.get_input_details()
    answer = run(**{name: np.zeros((1, SIDE, SIDE, 3), np.uint8)})
    assert [scores.dtype for scores in answer.values()] == [np.uint8]


def test_every_buffer_is_inside_the_file_and_aligned_to_16_bytes(tiny: TinyModel) -> None:
    model = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    buffers = Table.root(memoryview(model)).tables(4)
    starts = [start for start, length in (b.vector(0) for b in buffers) if length]
    assert len(starts) > 20
    assert all(start % 16 == 0 for start in starts)
    assert all(buffer.scalar(1, "<Q") == 0 for buffer in buffers)


def test_rewriting_keeps_the_meaning(tiny: TinyModel) -> None:
    again = parse_structure(normalize_layout(tiny.model), "again")
    assert again.operators == tiny.structure.operators
    assert [t.shape for t in again.tensors] == [t.shape for t in tiny.structure.tensors]


def test_metadata_says_how_to_normalize(tiny: TinyModel) -> None:
    content = write_metadata(
        name="n",
        description="d",
        version="1",
        labels_file="labels.txt",
        mean=(127.5,),
        std=(128.0,),
        input_range=(-1.0, 1.0),
    )
    model = add_metadata(
        add_metadata(tiny.model, {METADATA_NAME: b"old"}), {METADATA_NAME: content}
    )
    stored = parse_structure(model, "m").metadata[METADATA_NAME]
    assert stored == content
    assert read_normalization(stored) == ((127.5,), (128.0,))
    assert read_normalization(stored[: len(stored) // 2]) is None
    assert struct.unpack_from("<4s", stored, 4) == (b"M001",)


@pytest.mark.parametrize("interface", ["uint8", "int8"])
def test_a_float_model_has_no_integer_interface(tiny: TinyModel, interface: str) -> None:
    from edge_effnet.errors import ModelError
    from edge_effnet.tflite.editor import set_interface

    if interface == "int8":  # means: leave it
        assert parse_structure(set_interface(tiny.model, "int8"), "m").inputs
        return
    with pytest.raises(ModelError, match="interface that is not int8"):
        set_interface(tiny.model, "uint8")
