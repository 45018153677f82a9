"""What is refused before any work, because it could not be written after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.config import ConvertConfig
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


def test_a_float_file_of_ours_is_converted_in_its_folder(tiny: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "mine-float32.tflite"
    labels = tuple(f"class{index}" for index in range(CLASSES))
    write_artifact(path, tiny.model, Card("mine", labels, Preprocess(SIDE, SIDE)))
    assert files_to_write("mine", ConvertConfig(out=tmp_path), path) == []
    assert files_to_write("mine", ConvertConfig(out=tmp_path), None) == [path]
