"""From anybody's ``.tflite`` to a float one with a batch of 1."""

from __future__ import annotations

from pathlib import Path

from converters.float_model.read_model import ReadModel
from converters.float_model.source import file_origin
from edge_effnet.artifact import read_artifact, split_archive
from edge_effnet.errors import ModelError
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.tflite.reader import Structure, parse_structure, read_model_bytes


def read_tflite_model(path: Path, *, resolution: int | None) -> ReadModel:  # noqa: ARG001
    """Read a float ``.tflite``. Needs no TensorFlow.

    Raises:
        ModelError: missing, damaged, or already quantized.
    """
    model = split_archive(read_model_bytes(path))[0]
    structure = parse_structure(model, str(path))
    _refuse_quantized(structure, path)
    artifact = read_artifact(path)
    card = artifact.card
    stated = artifact.preprocess
    return ReadModel(
        model,
        structure,
        card.weights if card else file_origin(path),
        card.steps if card else (),
        card=card,
        labels=artifact.labels,
        found=FoundPreprocess(stated, "its card" if card else "its TFLite metadata")
        if stated
        else None,
    )


def _refuse_quantized(structure: Structure, path: Path) -> None:
    stored = {tensor.dtype for tensor in structure.tensors if tensor.constant_bytes > 1024}
    ends = {structure.tensors[i].dtype for i in (*structure.inputs, *structure.outputs)}
    if ends != {"float32"} or stored & {"int8", "uint8", "int4", "float16"}:
        raise ModelError(
            f"{path} is already quantized",
            found=", ".join(sorted((ends | stored) - {"float32", "int32"})) + " tensors",
            expected="a float32 model",
            fix="convert from the float model; quantizing twice only loses accuracy",
        )
