"""Whatever stands in a damaged file, it is read without an error of another kind."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import ModelError
from edge_effnet.runtime.input_pixels.file_evidence import evidence_of
from edge_effnet.runtime.input_pixels.suggestion import first_layer_deviation
from edge_effnet.tflite.constants import stored_constant
from edge_effnet.tflite.reader import parse_structure
from tests.edge_effnet.runtime.input_pixels.conftest import make_network

MODELS = (
    make_network(before=[("MUL", 1 / 255), ("SUB", (0.485, 0.456, 0.406))]),
    make_network(quantized=("int8", 1 / 255, -128)),
)


@given(st.data())
def test_changed_bytes(data: Any) -> None:
    model = bytearray(data.draw(st.sampled_from(MODELS)))
    for _ in range(data.draw(st.integers(1, 6))):
        model[data.draw(st.integers(8, len(model) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(model)
    try:
        structure = parse_structure(damaged, "a network")
    except ModelError:
        return
    shapes = [structure.tensors[index].shape for index in structure.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or min(shapes[0]) < 1 or shapes[0][3] not in (1, 3):
        return  # which opening refuses before
    assert evidence_of(damaged, structure).settings.shape == shapes[0][1:]
    assert first_layer_deviation(damaged, structure, []) is None
    for index in range(len(structure.tensors)):
        try:
            values = stored_constant(damaged, structure, index)
        except ValueError:
            continue
        assert values is None or values.shape == structure.tensors[index].shape
