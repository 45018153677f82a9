"""From a Keras file to a float ``.tflite``."""

from __future__ import annotations

from pathlib import Path

from converters.float_model.export import export_keras_file
from converters.float_model.read_model import ReadModel
from converters.float_model.source import exported_step, file_origin
from edge_effnet.errors import ModelError
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocessing import foreign_preprocess
from edge_effnet.tflite.reader import parse_structure


def read_keras_model(path: Path, *, resolution: int | None) -> ReadModel:  # noqa: ARG001
    """Read a Keras model and export it. Needs the ``train`` extra.

    Raises:
        ModelError: missing, damaged, unsafe, or with an input of open size.
        MissingExtra: TensorFlow is not installed.
    """
    if not path.is_file():
        raise ModelError(f"{path} does not exist", fix="check the path")
    model = export_keras_file(path)
    structure = parse_structure(model, str(path))
    shape = structure.tensors[structure.inputs[0]].shape
    found = FoundPreprocess(foreign_preprocess(*shape[1:]), "nothing; it is taken to expect 0–255")
    return ReadModel(model, structure, file_origin(path), (exported_step(model),), (), found=found)
