"""What the rules for the Edge TPU read of a model: operators, their options, constant numbers."""

from __future__ import annotations

import struct

from edge_effnet.tflite.flatbuffer import Table
from edge_effnet.tflite.reader import Operator, Structure, Tensor

_WORDS: dict[str, tuple[str, int]] = {"int32": ("i", 4), "int64": ("q", 8)}


class Graph:
    """A model's operators with what ``Structure`` leaves out: options and constant numbers."""

    def __init__(self, data: bytes, structure: Structure) -> None:
        self.structure = structure
        model = Table.root(memoryview(data))
        self._buffers = model.tables(4)
        graph = model.tables(2)[0]
        self._tensors, self._operators = graph.tables(0), graph.tables(3)

    def tensor(self, index: int) -> Tensor:
        return self.structure.tensors[index]

    def option(self, op: Operator, number: int, code: str, default: int) -> int:
        """A field of the operator's options table, by its number in the schema."""
        options = self._operators[op.index].table(4)
        return default if options is None else options.scalar(number, code, default)

    def integers(self, index: int) -> tuple[int, ...] | None:
        """The numbers of a constant integer tensor; None where it is not constant."""
        tensor = self.tensor(index)
        if tensor.dtype not in _WORDS or not tensor.constant_bytes:
            return None
        code, size = _WORDS[tensor.dtype]
        raw = self._buffers[self._tensors[index].scalar(2, "<I")].raw(0)
        return struct.unpack(f"<{len(raw) // size}{code}", raw[: len(raw) // size * size])

    def outside(self, index: int) -> bool:
        """Whether a constant lies behind the FlatBuffer, as LiteRT Quantizer stores large ones."""
        return self._buffers[self._tensors[index].scalar(2, "<I")].scalar(1, "<Q") > 1

    def zeros(self, index: int) -> bool:
        """Whether a constant tensor of bytes is 0 all over: its zero point everywhere."""
        raw = self._buffers[self._tensors[index].scalar(2, "<I")].raw(0)
        return set(raw) == {point % 256 for point in self.tensor(index).zero_points}
