"""Reading weight files of every layout, and writing our own."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import OutputError, WeightsError
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights, read_for
from edge_effnet.network.weights.checkpoint import describe, peek, same_network, save_checkpoint
from edge_effnet.network.weights.files import open_weights, read_weights

B0, LITE0 = VARIANTS["b0"], VARIANTS["lite0"]


@pytest.fixture(scope="module")
def theirs(keras: Any, shake: Callable[[Any], None]) -> Any:
    model = keras.applications.EfficientNetB0(weights=None, classes=7, input_shape=(32, 32, 3))
    shake(model)
    return model


@pytest.fixture(scope="module")
def files(theirs: Any, tmp_path_factory: pytest.TempPathFactory, write_official: Any) -> Path:
    """One network in every layout that Keras writes."""
    folder = tmp_path_factory.mktemp("files")
    write_official(theirs, folder / "official.h5")
    theirs.save(folder / "whole.h5")
    theirs.save(folder / "archive.keras")
    theirs.save_weights(folder / "structural.weights.h5")
    return folder


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("official.h5", "official"),
        ("whole.h5", "official"),
        ("archive.keras", "keras"),
        ("structural.weights.h5", "structural"),
    ],
)
def test_every_layout_loads(files: Path, theirs: Any, name: str, layout: str) -> None:
    seen = peek(files / name)
    assert (seen.layout, seen.classes, seen.metadata) == (layout, 7, None)
    ours = build(B0, classes=7, resolution=32)
    assert load_layer_weights(ours, read_for(ours, files / name), source=name)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(ours(pixels)), np.asarray(theirs(pixels)), atol=1e-6)


def test_a_checkpoint_comes_back_exactly(tmp_path: Path, shake: Callable[[Any], None]) -> None:
    model = build(LITE0, classes=3, resolution=32)
    shake(model)
    labels = ("cat", "dog", "grüne Wiese")
    path = tmp_path / "run" / "best.h5"
    save_checkpoint(model, path, describe(LITE0, resolution=32, labels=labels, steps=["trained"]))
    found = read_weights(path, [])
    for layer in model.layers:
        for ours, written in zip(layer.get_weights(), found.get(layer.name, []), strict=True):
            np.testing.assert_array_equal(ours, written)
    metadata = peek(path).metadata
    assert metadata is not None
    assert metadata["labels"] == list(labels)
    assert (metadata["resolution"], metadata["steps"]) == (32, ["trained"])
    assert same_network(metadata, LITE0)
    assert not same_network(metadata, replace(LITE0, width=1.1))
    assert [entry.name for entry in path.parent.iterdir()] == ["best.h5"]


def test_half_precision_halves_the_file_and_keeps_the_vectors(
    tmp_path: Path, shake: Callable[[Any], None]
) -> None:
    model = build(B0, classes=3, resolution=32)
    shake(model)
    for half in (False, True):
        save_checkpoint(model, tmp_path / f"{half}.h5", describe(B0, resolution=32), half=half)
    whole, halved = (read_weights(tmp_path / f"{half}.h5", []) for half in (False, True))
    sizes = [(tmp_path / f"{half}.h5").stat().st_size for half in (False, True)]
    assert sizes[1] < 0.56 * sizes[0]
    for name, arrays in whole.items():
        for exact, rounded in zip(arrays, halved[name], strict=True):
            assert rounded.dtype == exact.dtype
            tolerance = 2**-11 if exact.ndim > 1 else 0
            np.testing.assert_allclose(rounded, exact, rtol=tolerance, atol=2**-24)


def test_keras_applications_reads_our_checkpoints(
    keras: Any, tmp_path: Path, shake: Callable[[Any], None]
) -> None:
    ours = build(VARIANTS["v2-b0"], classes=3, resolution=32)
    shake(ours)
    save_checkpoint(ours, tmp_path / "a.h5", describe(VARIANTS["v2-b0"], resolution=32))
    theirs = keras.applications.EfficientNetV2B0(
        weights=str(tmp_path / "a.h5"), classes=3, input_shape=(32, 32, 3)
    )
    pixels = np.full((1, 32, 32, 3), 99, np.float32)
    np.testing.assert_allclose(np.asarray(ours(pixels)), np.asarray(theirs(pixels)), atol=1e-6)


def test_long_lists_of_labels_fit(tmp_path: Path, keras: Any) -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="predictions")(inputs))
    labels = tuple(f"class number {index}, a long name" for index in range(20_000))
    save_checkpoint(model, tmp_path / "a.h5", describe(B0, resolution=32, labels=labels))
    metadata = peek(tmp_path / "a.h5").metadata
    assert metadata is not None
    assert tuple(metadata["labels"]) == labels


def test_looking_into_a_file_needs_no_keras(files: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from edge_effnet.network.weights.checkpoint import peek; "
        "print(peek(Path(sys.argv[1])).classes, 'keras' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(files / "official.h5")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["7", "False"]


def _cut(source: Path, target: Path, share: float) -> Path:
    content = source.read_bytes()
    target.write_bytes(content[: int(len(content) * share)])
    return target


@pytest.mark.parametrize("name", ["official.h5", "archive.keras", "structural.weights.h5"])
def test_cut_off_files_are_named(files: Path, tmp_path: Path, name: str) -> None:
    path = _cut(files / name, tmp_path / name, 0.6)
    line = r"(damaged|cut off).*; found .*to fix: copy or download it"
    with pytest.raises(WeightsError, match=line):
        read_weights(path, [])


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.h5", b"", "is an empty file"),
        ("a.h5", b"<html>404</html>", "is a web page, saved in the place of a file"),
        ("a.tflite", b"\x1c\0\0\0TFL3\0\0", "is a TFLite model, not a weight file.*--model"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=line) as caught:
        peek(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_folders_archives_and_empty_hdf5_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is a folder, not a model"):
        peek(tmp_path)
    with zipfile.ZipFile(tmp_path / "torch.pt", "w") as archive:
        archive.writestr("data.pkl", b"")
    with pytest.raises(WeightsError, match="is a PyTorch file"):
        peek(tmp_path / "torch.pt")
    h5py.File(tmp_path / "empty.h5", "w").close()
    with pytest.raises(WeightsError, match="is an HDF5 file without a network in it"):
        peek(tmp_path / "empty.h5")


@pytest.fixture
def with_layer(files: Path, tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def write(layer: dict[str, Any]) -> Path:
        path = tmp_path / "changed.keras"
        with zipfile.ZipFile(files / "archive.keras") as old, zipfile.ZipFile(path, "w") as new:
            config = json.loads(old.read("config.json"))
            config["config"]["layers"].append(layer)
            new.writestr("config.json", json.dumps(config))
            new.writestr("model.weights.h5", old.read("model.weights.h5"))
        return path

    return write


def test_settings_may_be_infinite(with_layer: Callable[[dict[str, Any]], Path]) -> None:
    """The standard library writes and reads such numbers; JSON itself has none."""
    settings = {"name": "relu", "max_value": float("inf")}
    layer = {"class_name": "ReLU", "module": "keras.layers", "config": settings}
    assert read_weights(with_layer(layer), [])


def test_a_lambda_is_never_loaded(with_layer: Callable[[dict[str, Any]], Path]) -> None:
    code = {"class_name": "Lambda", "module": "keras.layers", "config": {"name": "evil"}}
    custom = {"class_name": "Mine", "module": "my.layers", "config": {"name": "mine"}}
    nested = {"class_name": "Functional", "module": "keras", "config": {"name": "inner"}}
    for layer, line in ((code, r"evil \(Lambda\)"), (custom, r"mine \(Mine\)"), (nested, "inner")):
        with pytest.raises(WeightsError, match=line):
            read_weights(with_layer(layer), [])


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["predictions"]
        group = file.create_group("predictions")
        group.attrs["weight_names"] = ["kernel:0"]
        group["kernel:0"] = np.array([[1.0, np.nan]], np.float32)
    with pytest.raises(WeightsError, match="values in predictions that are not finite"):
        read_weights(path, [])


def test_damaged_metadata_is_named(tmp_path: Path, files: Path) -> None:
    path = _cut(files / "official.h5", tmp_path / "a.h5", 1.0)
    with h5py.File(path, "a") as file:
        file.attrs["edge_effnet"] = ["{no json"]
    with pytest.raises(WeightsError, match="is damaged"), open_weights(path):
        pass


def test_an_unwritable_place_is_named_and_nothing_is_left(tmp_path: Path, keras: Any) -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="predictions")(inputs))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        save_checkpoint(model, tmp_path / "file" / "best.h5", {})
    with pytest.raises(TypeError):
        save_checkpoint(model, tmp_path / "best.h5", {"not": object()})
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
