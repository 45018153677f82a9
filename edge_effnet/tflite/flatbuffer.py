"""FlatBuffer tables, read with the standard library, never past the end of the file."""

from __future__ import annotations

import struct
from typing import Any

_MOST_OBJECTS = 4_000_000  # numbers and tables of one file; the largest networks have a tenth
_SHARED = 4  # vectors may be shared: a file is read a few times over at most
_FREE_BYTES = 1 << 16


class Allowance:
    """What may still be read of a file: many tables that point to one long vector would else take
    time and memory without end.

    Args:
        size: of the file in bytes.
    """

    __slots__ = ("left", "objects")

    def __init__(self, size: int) -> None:
        self.left, self.objects = _SHARED * size + _FREE_BYTES, _MOST_OBJECTS

    def take(self, size: int, objects: int) -> None:
        """Raises IndexError where it is used up."""
        self.left -= size
        self.objects -= objects
        if self.left < 0 or self.objects < 0:
            raise IndexError(size)


class Table:
    """A FlatBuffer table: fields by their number in the schema, defaults where absent.

    Reads past the end raise ``struct.error`` or ``IndexError``, which the callers turn into
    a ``ModelError``.
    """

    __slots__ = ("allowance", "data", "position", "vtable", "vtable_size")

    def __init__(self, data: bytes | memoryview, position: int, allowance: Allowance) -> None:
        self.data, self.position, self.allowance = data, position, allowance
        self.vtable = position - self._unpack("<i", position)
        if self.vtable < 0:
            raise IndexError(self.vtable)
        self.vtable_size = self._unpack("<H", self.vtable)

    @staticmethod
    def root(data: bytes | memoryview) -> Table:
        return Table(data, struct.unpack_from("<I", data, 0)[0], Allowance(len(data)))

    def _unpack(self, code: str, at: int) -> int:
        if at < 0:
            raise IndexError(at)
        return int(struct.unpack_from(code, self.data, at)[0])

    def place(self, number: int) -> int | None:
        """The offset of a field in the file, None where it is absent."""
        entry = 4 + 2 * number
        if entry >= self.vtable_size:
            return None
        offset = self._unpack("<H", self.vtable + entry)
        return self.position + offset if offset else None

    def scalar(self, number: int, code: str, default: int = 0) -> int:
        at = self.place(number)
        return default if at is None else self._unpack(code, at)

    def real(self, number: int) -> float:
        """A 32-bit float, 0 where it is absent."""
        at = self.place(number)
        return 0.0 if at is None else float(struct.unpack_from("<f", self.data, at)[0])

    def vector(self, number: int) -> tuple[int, int]:
        """The offset of a vector's first element in the file, and how many there are."""
        at = self.place(number)
        if at is None:
            return 0, 0
        start = at + self._unpack("<I", at)
        length = self._unpack("<I", start)
        if length > len(self.data):
            raise IndexError(length)
        return start + 4, length

    def raw(self, number: int) -> bytes:
        start, length = self.vector(number)
        if start + length > len(self.data):
            raise IndexError(start + length)
        self.allowance.take(length, 0)
        return bytes(self.data[start : start + length])

    def text(self, number: int) -> str:
        return self.raw(number).decode("utf-8", "replace")

    def numbers(self, number: int, code: str) -> tuple[Any, ...]:
        """A vector's numbers, of Python's type for the struct code."""
        start, length = self.vector(number)
        self.allowance.take(length * struct.calcsize(f"<{code}"), length)
        return struct.unpack_from(f"<{length}{code}", self.data, start)

    def table(self, number: int) -> Table | None:
        at = self.place(number)
        return None if at is None else self._at(at)

    def tables(self, number: int) -> list[Table]:
        start, length = self.vector(number)
        self.allowance.take(4 * length, length)
        return [self._at(at) for at in range(start, start + 4 * length, 4)]

    def _at(self, at: int) -> Table:
        return Table(self.data, at + self._unpack("<I", at), self.allowance)
