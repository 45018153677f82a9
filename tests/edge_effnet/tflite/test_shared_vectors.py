"""A few bytes can stand for many: reading takes no more time and memory than the file is large."""

from __future__ import annotations

import time
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_effnet.errors import ModelError
from edge_effnet.tflite.editor import read_tree
from edge_effnet.tflite.reader import parse_structure
from tests.converters.float_model.tflite_files.conftest import network

TENSORS, LENGTH = 400, 300_000


class SharingBuilder(flatbuffers.Builder):
    """Stores equal vectors of numbers once."""

    def __init__(self) -> None:
        super().__init__(1 << 21)
        self.stored: dict[bytes, int] = {}

    def CreateNumpyVector(self, x: NDArray[Any]) -> int:  # noqa: N802 (the builder's own name)
        key = x.tobytes()
        if key not in self.stored:
            self.stored[key] = super().CreateNumpyVector(x)
        return self.stored[key]


def shared(field: str) -> bytes:
    """A file of 1 to 3 MB with 400 tensors that share one vector of 300,000 numbers."""
    tree = read_tree(network("int8"))[1]
    long = np.ones(LENGTH, {"scale": np.float32, "zeroPoint": np.int64}.get(field, np.int32))
    for _ in range(TENSORS):
        made = schema.TensorT()
        made.shape, made.quantization = np.ones(1, np.int32), schema.QuantizationParametersT()
        setattr(made.quantization if hasattr(made.quantization, field) else made, field, long)
        tree.subgraphs[0].tensors.append(made)
    builder = SharingBuilder()
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize("field", ["shape", "shapeSignature", "scale", "zeroPoint"])
def test_many_tensors_that_share_one_long_vector_are_refused_at_once(field: str) -> None:
    model = shared(field)
    assert len(model) < 3_000_000
    began = time.process_time()
    with pytest.raises(ModelError, match="damaged"):
        parse_structure(model, "shared.tflite")
    assert time.process_time() - began < 2
