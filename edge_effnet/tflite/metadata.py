"""The standard TFLite metadata: what Android apps and MediaPipe read.

Table and field numbers are those of metadata_schema.fbs, version 1.x (tflite-support).
``read_normalization`` needs nothing; writing needs the package ``flatbuffers``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from edge_effnet.image.preprocessing import Channels, Preprocess, valid_normalization
from edge_effnet.tflite.flatbuffer import Table

if TYPE_CHECKING:
    import flatbuffers

METADATA_NAME = "TFLITE_METADATA"
_IDENTIFIER = b"M001"
_NORMALIZATION_OPTIONS = 1  # ProcessUnitOptions
_IMAGE_PROPERTIES = 2  # ContentProperties
_COLOR_SPACES = {"rgb": 1, "grey": 2}  # ColorSpaceType; there is none for BGR: 0, unknown
_TENSOR_AXIS_LABELS = 2  # AssociatedFileType


def read_normalization(
    metadata: bytes,
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The (mean, std) of the first input, or None where the metadata says nothing of use."""
    if metadata[4:8] != _IDENTIFIER:
        return None
    try:
        subgraph = Table.root(memoryview(metadata)).tables(3)[0]
        for unit in subgraph.tables(2)[0].tables(4):
            if unit.scalar(0, "<B") == _NORMALIZATION_OPTIONS:
                options = unit.table(1)
                if options is not None:
                    mean, std = options.numbers(0, "f"), options.numbers(1, "f")
                    return (mean, std) if valid_normalization(mean, std) else None
    except (struct.error, IndexError):
        return None  # damaged metadata says nothing
    return None


def metadata_of(
    settings: Preprocess,
    *,
    name: str,
    version: str,
    labels_file: str | None,
    other_outputs: Sequence[tuple[str, str]] = (),
) -> bytes:
    """The metadata of a classifier of ours; see ``write_metadata``."""
    mean, std = np.broadcast_arrays(np.array(settings.mean), np.array(settings.std))
    extremes = np.concatenate([(0 - mean) / std, (255 - mean) / std])
    if settings.standardize:  # which the metadata has no words for; one bright pixel is the most
        mean, std = mean[:0], std[:0]
        extremes = np.array([-1, 1]) * math.sqrt(math.prod(settings.shape))
    return write_metadata(
        name=name,
        description="Image classifier made by edge-effnet; see model_card.json in this file.",
        version=version,
        labels_file=labels_file,
        mean=mean.tolist(),
        std=std.tolist(),
        input_range=(float(extremes.min()), float(extremes.max())),
        channels=settings.channels,
        other_outputs=other_outputs,
    )


def write_metadata(
    *,
    name: str,
    description: str,
    version: str,
    labels_file: str | None,
    mean: Sequence[float],
    std: Sequence[float],
    input_range: tuple[float, float],
    channels: Channels = "rgb",
    other_outputs: Sequence[tuple[str, str]] = (),
) -> bytes:
    """Build the metadata of an image classifier.

    Args:
        other_outputs: name and description of what it gives behind the scores.
        labels_file: name of the label file in the archive behind the model; None leaves it out.
        mean, std: (pixel - mean) / std gives the input; one value each or one per channel; empty
            where that cannot be said.
        input_range: smallest and largest value of the input after that.
    """
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    units = []
    if mean:
        options = _table(builder, [_floats(builder, 0, mean), _floats(builder, 1, std)])
        unit = _table(builder, [("uint8", 0, _NORMALIZATION_OPTIONS), ("offset", 1, options)])
        units.append(_tables(builder, 4, [unit]))
    image = _table(builder, [("int8", 0, _COLOR_SPACES.get(channels, 0))])
    content = _table(builder, [("uint8", 0, _IMAGE_PROPERTIES), ("offset", 1, image)])
    stats = _table(
        builder,
        [_floats(builder, 0, [input_range[1]]), _floats(builder, 1, [input_range[0]])],
    )
    input_tensor = _table(
        builder,
        [
            _text(builder, 0, "image"),
            _text(builder, 1, "image to classify"),
            ("offset", 3, content),
            *units,
            ("offset", 5, stats),
        ],
    )
    labels = []
    if labels_file is not None:
        names = _text(builder, 0, labels_file), _text(builder, 1, "class names in index order")
        table = _table(builder, [*names, ("int8", 2, _TENSOR_AXIS_LABELS)])
        labels.append(_tables(builder, 6, [table]))
    output_stats = _table(builder, [_floats(builder, 0, [1.0]), _floats(builder, 1, [0.0])])
    output_tensor = _table(
        builder,
        [
            _text(builder, 0, "probability"),
            _text(builder, 1, "score of each class"),
            ("offset", 5, output_stats),
            *labels,
        ],
    )
    others = [
        _table(builder, [_text(builder, 0, name), _text(builder, 1, said)])
        for name, said in other_outputs
    ]
    ends = [_tables(builder, 2, [input_tensor]), _tables(builder, 3, [output_tensor, *others])]
    subgraph = _table(builder, ends)
    root = _table(
        builder,
        [
            _text(builder, 0, name),
            _text(builder, 1, description),
            _text(builder, 2, version),
            _tables(builder, 3, [subgraph]),
            _text(builder, 7, "1.0.0"),
        ],
    )
    builder.Finish(root, _IDENTIFIER)
    return bytes(builder.Output())


_Slot = tuple[str, int, int]  # (kind, field number, value or offset)


def _table(builder: flatbuffers.Builder, slots: Sequence[_Slot]) -> int:
    builder.StartObject(max(number for _, number, _ in slots) + 1)
    for kind, number, value in slots:
        if kind == "offset":
            builder.PrependUOffsetTRelativeSlot(number, value, 0)
        elif kind == "uint8":
            builder.PrependUint8Slot(number, value, 0)
        else:
            builder.PrependInt8Slot(number, value, 0)
    return int(builder.EndObject())


def _text(builder: flatbuffers.Builder, number: int, text: str) -> _Slot:
    return "offset", number, int(builder.CreateString(text))


def _floats(builder: flatbuffers.Builder, number: int, values: Sequence[float]) -> _Slot:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependFloat32(value)
    return "offset", number, int(builder.EndVector())


def _tables(builder: flatbuffers.Builder, number: int, tables: Sequence[int]) -> _Slot:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return "offset", number, int(builder.EndVector())
