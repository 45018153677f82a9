"""SavedModel folders through the signature they serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.float_model.keras_files.reader import read_keras_model
from edge_effnet.errors import ModelError
from tests.converters.float_model.keras_files.conftest import Pixels, answers

Export = Callable[..., Any]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """A network with Flatten, whose shapes name the batch, as a SavedModel in ``saved``."""

    def make(batch: int | None = None, side: int | None = 32, outputs: int = 1) -> Any:
        import keras

        source = keras.Input((side, side, 3), batch)
        x = keras.layers.Conv2D(4, 3, strides=4)(keras.layers.Rescaling(1 / 255)(source))
        x = keras.layers.Flatten()(x) if side else keras.layers.GlobalMaxPooling2D()(x)
        ends = [keras.layers.Dense(3, activation="softmax")(x) for _ in range(outputs)]
        network = keras.Model(source, ends[0] if outputs == 1 else ends)
        network.export(tmp_path / "saved", verbose=False)
        return network

    return make


@pytest.mark.parametrize("batch", [None, 2])
def test_batch_is_1_and_variables_are_constants(
    batch: int | None, export: Export, tmp_path: Path, pixels: Pixels
) -> None:
    network = export(batch)
    read = read_keras_model(tmp_path / "saved", resolution=None)
    np.testing.assert_allclose(answers(read.model, pixels), network(pixels), atol=1e-4)
    names = {operator.name for operator in read.structure.operators}
    assert not names & {"VAR_HANDLE", "READ_VARIABLE", "SHAPE", "PACK", "STRIDED_SLICE"}
    assert read.origin["file"] == "saved"
    assert read.found is not None
    assert read.found.reason == "a rescaling inside the network"


def test_an_open_size_takes_the_resolution(export: Export, tmp_path: Path) -> None:
    export(side=None)
    read = read_keras_model(tmp_path / "saved", resolution=48)
    assert read.structure.tensors[read.structure.inputs[0]].shape == (1, 48, 48, 3)
    with pytest.raises(ModelError, match=r"images of any size.*saved --resolution 224 --int8"):
        read_keras_model(tmp_path / "saved", resolution=None)


def test_two_outputs_are_refused_by_name(export: Export, tmp_path: Path) -> None:
    export(outputs=2)
    with pytest.raises(ModelError, match=r"saved has 2 outputs; found output_0, output_1"):
        read_keras_model(tmp_path / "saved", resolution=None)


@pytest.mark.parametrize("name", ["MyCustomOp", "WriteFile"])
def test_operators_that_are_not_tensorflows_are_named(
    name: str, export: Export, tmp_path: Path
) -> None:
    export()
    file = tmp_path / "saved" / "saved_model.pb"
    node = b"\x0a" + bytes([2 + len(b"odd") + 2 + len(name)])
    node += b"\x0a\x03odd\x12" + bytes([len(name)]) + name.encode()
    graph = b"\x12" + bytes([len(node)]) + node  # a MetaGraphDef's graph_def with one node
    file.write_bytes(file.read_bytes() + b"\x12" + bytes([len(graph)]) + graph)
    with pytest.raises(ModelError, match=f"operators that cannot be converted; found {name}"):
        read_keras_model(tmp_path / "saved", resolution=None)


@pytest.mark.parametrize("damage", ["cut", "no variables"])
def test_a_damaged_folder(damage: str, export: Export, tmp_path: Path) -> None:
    export()
    if damage == "cut":
        file = tmp_path / "saved" / "saved_model.pb"
        file.write_bytes(file.read_bytes()[:-700])
    else:
        for file in (tmp_path / "saved" / "variables").iterdir():
            file.unlink()
    with pytest.raises(ModelError, match="cannot be loaded as a SavedModel"):
        read_keras_model(tmp_path / "saved", resolution=None)
