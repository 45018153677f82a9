"""The way that is named first, on models of public repositories whose authors said how they feed
them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_effnet.image.preprocessing import foreign_preprocess
from edge_effnet.runtime.input_pixels.suggestion import likely_ways, unlikely
from edge_effnet.runtime.input_pixels.ways import scalings_of
from edge_effnet.tflite.reader import parse_structure

FED = {
    "malaria_float.tflite": "unit",
    "hand_grey_float.tflite": "unit",
    "garbage_dynamic.tflite": "unit",
    "leaves_float16.tflite": "raw",
    "leaves_float_batch32.tflite": "raw",
}


@pytest.mark.parametrize(("file", "way"), FED.items())
def test_the_way_of_the_author_comes_first(reference: Path, file: str, way: str) -> None:
    model = (reference / "wild" / file).read_bytes()
    structure = parse_structure(model, file)
    base = foreign_preprocess(*structure.tensors[structure.inputs[0]].shape[1:])
    ways = scalings_of(base)
    assert likely_ways(model, structure, base)[0] == ways[way]
    assert unlikely(model, structure, ways[way]) is None
    likelier = unlikely(model, structure, ways["raw" if way == "unit" else "unit"])
    assert likelier == ways[way]  # 255 times too much or too little is told
