"""Which program wrote a ``.tflite``, as far as its bytes tell.

Sources: tensorflow/lite/toco/export.cc and tensorflow/compiler/mlir/lite/flatbuffer_export.cc
(the descriptions), tensorflow/lite/schema/conversion_metadata.fbs, and the metadata that Model
Maker and MediaPipe's writers leave.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from edge_effnet.tflite.flatbuffer import Table
from edge_effnet.tflite.metadata import METADATA_NAME
from edge_effnet.tflite.reader import Structure

_CONVERSION = "CONVERSION_METADATA"
_CONVERTERS = {
    "TOCO Converted.": "TensorFlow's first converter (TOCO, until 2020)",
    "MLIR Converted.": "TensorFlow's converter",
}
# By the beginning of what the metadata says the model does.
_DESCRIPTIONS = (
    ("Image classifier made by edge-effnet", "edge-effnet"),
    ("Identify the most prominent object in the image from a set of", "TFLite Model Maker"),
    (
        "Identify the most prominent object in the image from a known set",
        "a metadata writer of TensorFlow or MediaPipe",
    ),
)
_EDGE_IMPULSE = "serving_default_x:0"  # also TensorFlow's for any function of x
# By the name of the input.
_INPUTS = {
    _EDGE_IMPULSE: "its input is named and quantized as in Edge Impulse's exports",
    "serving_default_args_0:0": "its input is named as litert-torch (PyTorch) does",
}


@dataclass(frozen=True)
class Origin:
    """Who wrote a file.

    Attributes:
        converter: in words, with its version; None where the file does not say.
        tool: that used the converter, or wrote the metadata; None where nothing tells.
        hint: at who it may have been, in words.
    """

    converter: str | None
    tool: str | None
    hint: str | None = None

    def line(self, tool: str | None = None) -> str | None:
        """All of it, behind a tool that is known otherwise."""
        known = tool or self.tool
        said = ", ".join(filter(None, (known, self.converter)))
        return "; ".join(filter(None, (said, None if known else self.hint))) or None


def read_origin(model: bytes, structure: Structure) -> Origin:
    """Who wrote a file; damaged parts say nothing."""
    description = _text(model, 3)
    known = _CONVERTERS.get(description)
    converter = known or (f"described as “{description}”" if description else None)
    version = _tensorflow_version(structure.metadata.get(_CONVERSION, b""))
    if known and version:
        converter = f"{known}, version {version}"
    said = _text(structure.metadata.get(METADATA_NAME, b""), 1)
    return Origin(
        converter,
        tool=next((tool for start, tool in _DESCRIPTIONS if said.startswith(start)), None),
        hint=_hint(structure),
    )


def _hint(structure: Structure) -> str | None:
    """What the one input tells."""
    if len(structure.inputs) != 1:
        return None
    tensor = structure.tensors[structure.inputs[0]]
    quantized = tensor.zero_points == (-128,) and abs(sum(tensor.scales) - 1 / 255) < 1e-6
    return None if tensor.name == _EDGE_IMPULSE and not quantized else _INPUTS.get(tensor.name)


def _tensorflow_version(content: bytes) -> str | None:
    try:
        environment = Table.root(memoryview(content)).table(0)
        return (environment.text(0) if environment else "") or None
    except (struct.error, IndexError):
        return None


def _text(content: bytes, number: int) -> str:
    """A text of a FlatBuffer's root table; empty where there is none."""
    try:
        found = Table.root(memoryview(content)).text(number)
    except (struct.error, IndexError):
        return ""
    return "".join(filter(str.isprintable, found))[:120].strip()
