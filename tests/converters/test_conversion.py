"""What is refused before any work, because it could not be written after it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from converters.config import ConvertConfig, asked_recipes
from converters.conversion import files_to_write
from edge_effnet.artifact import Card, write_artifact
from edge_effnet.errors import OutputError
from edge_effnet.image.preprocessing import Preprocess
from tests.converters.conftest import CLASSES, SIDE, TinyModel


@pytest.mark.parametrize("force", [False, True])
def test_a_users_own_file_is_never_replaced(force: bool, tiny: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "mine-float32.tflite"
    path.write_bytes(tiny.model)
    config = ConvertConfig(out=tmp_path, force=force)
    with pytest.raises(OutputError, match=r"mine-float32\.tflite is the model itself.*--out"):
        files_to_write("mine", config, path)
    other = ConvertConfig(out=tmp_path / "other")
    assert files_to_write("mine", other, path) == [tmp_path / "other" / path.name]
    assert path.read_bytes() == tiny.model


def write_ours(path: Path, tiny: TinyModel) -> Path:
    """A file with a card, as an earlier conversion wrote it."""
    labels = tuple(f"class{index}" for index in range(CLASSES))
    write_artifact(path, tiny.model, Card("mine", labels, Preprocess(SIDE, SIDE)))
    return path


def test_a_float_file_of_ours_is_converted_in_its_folder(tiny: TinyModel, tmp_path: Path) -> None:
    path = write_ours(tmp_path / "mine-float32.tflite", tiny)
    assert files_to_write("mine", ConvertConfig(out=tmp_path), path) == []
    assert files_to_write("mine", ConvertConfig(out=tmp_path), None) == [path]


@pytest.mark.parametrize("force", [False, True])
def test_the_file_for_frigate_does_not_replace_its_model(
    force: bool, tiny: TinyModel, tmp_path: Path
) -> None:
    path = write_ours(tmp_path / "model.tflite", tiny)
    recipes = asked_recipes((), "frigate")
    (tmp_path / "other").mkdir()
    config = ConvertConfig(out=tmp_path, recipes=recipes, target="frigate", force=force)
    with pytest.raises(OutputError, match=r"model\.tflite is the model itself.*--out"):
        files_to_write("model", config, path)
    other = replace(config, out=tmp_path / "other")
    assert tmp_path / "other" / "model.tflite" in files_to_write("model", other, path)
