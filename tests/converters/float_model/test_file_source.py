"""A user's file is read by what is in it, labels beside it included."""

from __future__ import annotations

import shutil
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

from converters.float_model.choice import ModelChoice, model_name
from converters.float_model.file_source import from_file
from edge_effnet.errors import ModelError

FRUIT = (
    *("FRESH APPLE", "FRESH BANANA", "FRESH ORANGE"),
    *("ROTTEN APPLE", "ROTTEN ORANGE", "ROTTEN BANANA"),
)


def read(path: Path) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    source = from_file(path, labels=None, preprocess="tf,crop=1")
    return source.labels, source.notices


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as pack:
        for name, content in members.items():
            pack.writestr(name, content)
    return path


def test_teachable_machines_zip_is_a_model_with_labels(reference: Path, tmp_path: Path) -> None:
    folder = reference / "teachable" / "fruit6"
    names = ("model_unquant.tflite", "labels.txt")
    members = {name: (folder / name).read_bytes() for name in names}
    path = packed(tmp_path / "converted_tflite.zip", members)
    labels, notices = read(path)
    assert labels == FRUIT
    assert f"class names from labels.txt in {path}: FRESH APPLE, FRESH BANANA" in notices[-1]


def test_labels_beside_the_file_and_its_ending_do_not_matter(
    reference: Path, tmp_path: Path
) -> None:
    folder = reference / "teachable" / "fruit6"
    shutil.copy(folder / "model_unquant.tflite", tmp_path / "fruit.lite")
    shutil.copy(folder / "labels.txt", tmp_path)
    assert read(tmp_path / "fruit.lite")[0] == FRUIT


def test_weights_alone_are_refused_with_the_way_that_works(tmp_path: Path) -> None:
    weights = tmp_path / "renamed.keras"
    shutil.copy(str(files("edge_effnet").joinpath("assets", "demo", "b0.h5")), weights)
    with pytest.raises(ModelError, match=r"renamed\.keras is a file of weights") as refused:
        read(weights)
    assert f"--variant NAME --weights {weights}" in str(refused.value)


def test_a_pytorch_file_is_named_with_its_recipe(tmp_path: Path) -> None:
    path = packed(tmp_path / "net.tflite", {"net/data.pkl": b""})
    with pytest.raises(ModelError, match=r"net\.tflite is a PyTorch file.*litert-torch"):
        read(path)


def test_a_damaged_model_in_an_archive_is_said_of_the_archive(tmp_path: Path) -> None:
    path = packed(tmp_path / "converted_keras.zip", {"keras_model.h5": b"no HDF5 at all"})
    with pytest.raises(ModelError, match=r"converted_keras\.zip is a text file, not a model"):
        read(path)


def test_what_is_told_of_a_model_in_an_archive_names_the_archive(tmp_path: Path) -> None:
    import keras

    layers = [keras.Input((8, 8, 3), batch_size=4), keras.layers.GlobalAveragePooling2D()]
    keras.Sequential(layers).save(tmp_path / "a.keras")
    path = packed(tmp_path / "mine.zip", {"a.keras": (tmp_path / "a.keras").read_bytes()})
    assert "mine.zip takes 4 images at once; here it takes one" in read(path)[1]


def test_the_advice_about_a_model_in_an_archive_stays_as_it_is(tmp_path: Path) -> None:
    path = packed(tmp_path / "sm2.zip", {"saved/saved_model.pb": b"no graph"})
    with pytest.raises(ModelError, match=r"sm2\.zip cannot be loaded as a SavedModel") as refused:
        read(path)
    assert refused.value.fix == "copy or export it again: model.export('NAME')"


def test_a_keras_network_that_answers_for_each_pixel_is_no_classifier(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "masks.keras"
    layers = [keras.Input((16, 16, 3)), keras.layers.Conv2D(4, 1)]
    keras.Sequential(layers).save(path)
    with pytest.raises(ModelError, match=r"masks\.keras is a segmenter"):
        read(path)


def test_a_layer_that_no_memory_holds_is_said_of_the_file(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "huge.keras"
    layers = [keras.Input((16, 16, 3)), keras.layers.UpSampling2D(60000)]
    keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D()]).save(path)
    with pytest.raises(ModelError, match=r"huge\.keras needs more memory.*960000x16x60000x3"):
        read(path)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("out/flowers-float32.tflite", "flowers"),
        ("out/flowers_float32.tflite", "flowers"),
        ("flowers.v2.keras", "flowers.v2"),
        (".", Path.cwd().stem),
    ],
)
def test_the_name_of_a_model(path: str, name: str) -> None:
    assert model_name(Path(path)) == name
    assert ModelChoice(file=Path(path)).name == name
