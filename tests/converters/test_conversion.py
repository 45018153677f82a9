"""What is refused before any work, because it could not be written after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.config import ConvertConfig
from converters.conversion import refuse_outputs
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
        refuse_outputs("mine", config, path)
    refuse_outputs("mine", ConvertConfig(out=tmp_path / "other"), path)
    assert path.read_bytes() == tiny.model


def test_a_float_file_of_ours_is_converted_in_its_folder(tiny: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "mine-float32.tflite"
    labels = tuple(f"class{index}" for index in range(CLASSES))
    write_artifact(path, tiny.model, Card("mine", labels, Preprocess(SIDE, SIDE)))
    refuse_outputs("mine", ConvertConfig(out=tmp_path), path)
    with pytest.raises(OutputError, match="exists"):
        refuse_outputs("mine", ConvertConfig(out=tmp_path), None)
