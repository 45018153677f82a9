"""Files that name what is not theirs: other files, other classes, more memory than they hold."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from converters.float_model.keras_files.network import load_network
from edge_effnet.errors import ModelError

Change = Callable[[dict[str, Any]], None]


def network(*middle: Any) -> Any:
    import keras

    layers = keras.layers
    source = keras.Input((8, 8, 3), name="photo")
    x = source
    for layer in middle:
        x = layer(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(source, layers.Dense(2, name="head")(x))


def changed(path: Path, change: Change) -> Path:
    """Rewrite the configuration of a ``.keras`` file in place."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def layer(config: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(one for one in config["config"]["layers"] if one["class_name"] == kind)


@pytest.fixture
def h5(tmp_path: Path) -> Path:
    network().save(tmp_path / "mine.h5")
    return tmp_path / "mine.h5"


@pytest.mark.parametrize("name", ["/outside", "../../outside", "head/../../outside"])
def test_a_name_that_leads_out_of_its_group(name: str, h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        file["outside"] = np.zeros(2, np.float32)
        head = file["model_weights/head"]
        head.attrs["weight_names"] = [head.attrs["weight_names"][0], name]
    with pytest.raises(ModelError, match="which leads out of its group"):
        load_network(h5)


def test_values_elsewhere_in_a_part_that_no_layer_has(h5: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(8))
    with h5py.File(h5, "a") as file:
        file.create_dataset("evil", (2,), "<f4", external=[(str(tmp_path / "secret"), 0, 8)])
    with pytest.raises(ModelError, match="the values of evil lie in another file"):
        load_network(h5)


def test_a_soft_link(h5: Path) -> None:
    with h5py.File(h5, "a") as file:
        file["model_weights/head/more"] = h5py.SoftLink("/optimizer")
    with pytest.raises(ModelError, match="model_weights/head/more is a link"):
        load_network(h5)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("Embedding", {"input_dim": 5, "output_dim": 2}),
        ("TFSMLayer", {"filepath": "somewhere"}),
        ("function", "get_file"),
        ("__lambda__", {"value": "code"}),
    ],
)
def test_no_argument_of_a_call_is_built(kind: str, config: Any, tmp_path: Path) -> None:
    argument = {"module": "keras.layers", "class_name": kind, "config": config}

    def change(whole: dict[str, Any]) -> None:
        call = layer(whole, "GlobalAveragePooling2D")["inbound_nodes"][0]
        call["kwargs"] = {"mask": {**argument, "registered_name": None}}

    network().save(tmp_path / "mine.keras")
    with pytest.raises(ModelError, match=f"a call with an argument of class {kind}"):
        load_network(changed(tmp_path / "mine.keras", change))


def _scale(whole: dict[str, Any]) -> None:
    """ConvNeXt's layer, whose weight has a size of its own."""
    found = layer(whole, "RMSNormalization")
    config = {"name": found["name"], "init_values": 1e-6, "projection_dim": 600_000_000}
    found.update(class_name="LayerScale", config=config, module=None, build_config={})


def _statistics(whole: dict[str, Any]) -> None:
    """One number as the mean of every pixel of a large image."""
    layer(whole, "InputLayer")["config"]["batch_shape"] = [None, 4_000, 4_000, 3]
    found = layer(whole, "RMSNormalization")
    config = {"name": found["name"], "axis": [1, 2, 3], "mean": 0.5, "variance": 1.0}
    found.update(class_name="Normalization", config=config, build_config={})


def _normalization(whole: dict[str, Any]) -> None:
    layer(whole, "InputLayer")["config"]["batch_shape"] = [None, 4_000, 4_000, 3]
    layer(whole, "RMSNormalization")["config"]["axis"] = [1, 2, 3]


@pytest.mark.parametrize("change", [_scale, _statistics, _normalization])
def test_every_weight_is_counted_before_it_is_made(change: Change, tmp_path: Path) -> None:
    import keras

    network(keras.layers.RMSNormalization()).save(tmp_path / "mine.keras")
    with pytest.raises(ModelError, match="a network larger than the weights that the file holds"):
        load_network(changed(tmp_path / "mine.keras", change))


def test_counting_ends_with_the_file(tmp_path: Path) -> None:
    import keras

    before = keras.layers.Layer.add_weight, keras.layers.Normalization.build
    network(keras.layers.Normalization(mean=[1, 2, 3], variance=[1, 1, 4])).save(
        tmp_path / "mine.keras"
    )
    load_network(tmp_path / "mine.keras")
    assert (keras.layers.Layer.add_weight, keras.layers.Normalization.build) == before
