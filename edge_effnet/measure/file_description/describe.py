"""``describe_file``: the one way in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge_effnet.errors import ModelError
from edge_effnet.measure.file_description.description import (
    FileDescription,
    packed_facts,
    size_text,
)
from edge_effnet.measure.file_description.keras_file import describe_keras
from edge_effnet.measure.file_description.other_file import describe_other
from edge_effnet.measure.file_description.tflite_file import describe_tflite
from edge_effnet.model_files import identify, refusal, unpacked

# What is no network, nor a part of one: there is nothing to describe.
_NOTHING = (
    *("image", "image-folder", "video", "folder", "folder-of-model", "lfs-pointer", "html"),
    *("json", "text", "empty", "unknown", "zip", "zip-of-images", "archive"),
)
_ANY_KIND = "a model of any kind: .tflite, Keras, SavedModel, PyTorch, ONNX …"


def describe_file(path: Path) -> FileDescription:
    """Say what a file is.

    Raises:
        ModelError: missing, unreadable, damaged, or no network at all: the message says what.
    """
    found = identify(path)
    code = found.kind.code
    if code in _NOTHING:
        error = refusal(found, "run")
        raise ModelError(error.what, found=error.found, expected=_ANY_KIND, fix=error.fix or "")
    if code in ("tflite", "tflite-package"):
        return describe_tflite(found)
    if code in ("keras-h5", "keras-zip"):
        return describe_keras(found, path)
    if code == "keras-package":
        with unpacked(path) as model:
            inner = identify(model)
            if inner.kind.code not in ("keras-h5", "keras-zip"):
                raise refusal(replace(inner, path=path), "convert")
            described = describe_keras(inner, path)
            size = size_text(path.stat().st_size)
            packed = (("file", f"{found.kind.title}, {size}"), *packed_facts(found))
            return replace(described, code=code, facts=(*packed, *described.facts[1:]))
    return describe_other(found)
