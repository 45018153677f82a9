"""Protocol buffer files told apart by the numbers of their first fields.

Sources: onnx.proto (ModelProto), tensorflow/core/framework/graph.proto (GraphDef),
saved_model.proto (SavedModel), coremltools' Model.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

_MOST_FIELDS = 64
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ONNX_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2}
Field = tuple[int, int, int, int]
"""Number, wire type, offset and length."""
_COREML_NETWORKS = range(200, 3001)


def protobuf_kind(path: Path) -> str | None:
    """``onnx``, ``frozen-graph``, ``saved-model-part`` or ``coreml``; None for anything else."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            found = list(islice(fields(file, size), _MOST_FIELDS))
            return _kind(file, found)
    except (OSError, ValueError):
        return None


def _kind(file: BinaryIO, found: list[Field]) -> str | None:
    kinds = [(number, wire) for number, wire, _, _ in found]
    numbers = {number for number, _ in kinds}
    if not kinds:
        return None
    if 7 in numbers and all(_ONNX_FIELDS.get(number) == wire for number, wire in kinds):
        return "onnx"
    if kinds[0] == (1, _VARINT) and kinds[1:] and set(kinds[1:]) == {(2, _BYTES)}:
        return "saved-model-part"
    if kinds[0] == (1, _VARINT) and any(number in _COREML_NETWORKS for number in numbers):
        return "coreml"
    if kinds[0] == (1, _BYTES) and numbers <= {1, 2, 3, 4} and _is_node(file, found[0]):
        return "frozen-graph"
    return None


def _is_node(file: BinaryIO, field: Field) -> bool:
    """Whether a field is a NodeDef: a name, then an operator's name."""
    _, _, start, length = field
    file.seek(start)
    inner = list(islice(fields(file, start + length), _MOST_FIELDS))
    if [(number, wire) for number, wire, _, _ in inner[:2]] != [(1, _BYTES), (2, _BYTES)]:
        return False
    _, _, at, size = inner[1]
    file.seek(at)
    operator = file.read(min(size, 64))
    return operator.isascii() and operator.decode("ascii").isidentifier()


def fields(file: BinaryIO, end: int) -> Iterator[Field]:
    """The fields of the message that begins where the file stands.

    Raises:
        ValueError: the bytes are no protocol buffer that ends at ``end``.
    """
    while file.tell() != end:
        key = _varint(file)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            start = file.tell()
            _varint(file)
            length = file.tell() - start
        elif wire == _BYTES:
            length = _varint(file)
            start = file.tell()
        elif wire in (_FIXED64, _FIXED32):
            start, length = file.tell(), 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(wire)
        if number == 0 or start + length > end:
            raise ValueError(number)
        yield number, wire, start, length
        file.seek(start + length)


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("cut off")
        value |= (byte[0] & 0x7F) << shift
        if not byte[0] & 0x80:
            return value
    raise ValueError("too long")
