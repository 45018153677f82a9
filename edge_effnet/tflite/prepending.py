"""FlatBuffer tables written in front of bytes that stay as they are.

Offsets are those of the package ``flatbuffers``: distances from the end, which do not change when
something is put in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from edge_effnet.tflite.flatbuffer import Table

ALIGNMENT = 16  # of buffers, as the schema demands
_FREE_BYTES = 1 << 16


class Prepending:
    """A builder that begins with the old bytes.

    Args:
        old: the bytes of a FlatBuffer.
        first: of them, the first that stays; a multiple of 16.
    """

    def __init__(self, old: bytes, first: int = 0) -> None:
        import flatbuffers

        kept = old[first:] + bytes(-len(old) % ALIGNMENT)
        self._length = first + len(kept)
        self._builder = flatbuffers.Builder(len(kept) + _FREE_BYTES)
        start = len(self._builder.Bytes) - len(kept)
        self._builder.Bytes[start:] = kept
        self._builder.head, self._builder.minalign = start, ALIGNMENT

    def old(self, table: Table) -> int:
        """The offset of a table that stays."""
        return self._length - table.position

    def table(self, *fields: tuple[Any, ...]) -> int:
        """Fields: (number, offset), or (number, value, type of the builder, default)."""
        builder = self._builder
        builder.StartObject(max((field[0] for field in fields), default=-1) + 1)
        for number, value, *rest in fields:
            if rest:
                kind, default = rest
                getattr(builder, f"Prepend{kind}Slot")(number, value, default)
            else:
                builder.PrependUOffsetTRelativeSlot(number, value, 0)
        return int(builder.EndObject())

    def vector(self, offsets: Sequence[int]) -> int:
        return self._elements(offsets, self._builder.PrependUOffsetTRelative)

    def numbers(self, values: Sequence[int]) -> int:
        """A vector of int32."""
        return self._elements(values, self._builder.PrependInt32)

    def _elements(self, values: Sequence[int], put: Callable[[int], Any]) -> int:
        self._builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            put(value)
        return int(self._builder.EndVector())

    def data(self, content: bytes) -> int:
        """A vector of bytes, aligned to 16."""
        builder = self._builder
        builder.StartVector(1, len(content), ALIGNMENT)
        builder.head = builder.Head() - len(content)
        builder.Bytes[builder.Head() : builder.Head() + len(content)] = content
        builder.vectorNumElems = len(content)
        return int(builder.EndVector())

    def text(self, text: str) -> int:
        return int(self._builder.CreateString(text))

    def finish(self, root: int, identifier: bytes) -> bytes:
        self._builder.Finish(root, file_identifier=identifier)
        return bytes(memoryview(self._builder.Bytes)[self._builder.Head() :])


class Places:
    """The entries of a vector whose indices stay, some of which are free.

    Args:
        offsets: of all; of the free ones anything.
    """

    def __init__(self, offsets: Iterable[int], free: Sequence[int]) -> None:
        self.offsets, self.free = list(offsets), list(free)

    def put(self, offset: int) -> int:
        """Put an entry into the first free place, else behind the others; its index."""
        if not self.free:
            self.offsets.append(offset)
            return len(self.offsets) - 1
        index = self.free.pop(0)
        self.offsets[index] = offset
        return index

    def fill(self, make: Callable[[int], int]) -> None:
        """Drop the free places at the end, and fill the others."""
        while self.free and self.free[-1] == len(self.offsets) - 1:
            self.offsets.pop()
            self.free.pop()
        for index in self.free:
            self.offsets[index] = make(index)
