"""A model with another end: the operators up to one tensor stay, others follow them.

What stays is not rewritten. FlatBuffers refer forward by distances, so new tables are written in
front of the old bytes and point into them: each kept operator, tensor and buffer is the same, byte
for byte. Works with the pure Python package ``flatbuffers`` alone, also on a 32-bit Pi.

Table and field numbers: tensorflow/lite/schema/schema.fbs.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edge_effnet.arrays import Float32Array
from edge_effnet.errors import ModelError
from edge_effnet.tflite.flatbuffer import Table
from edge_effnet.tflite.prepending import ALIGNMENT, Places, Prepending
from edge_effnet.tflite.reader import DTYPES, FILE_IDENTIFIER, Structure, operator_codes

Kind = Literal["DEQUANTIZE", "L2_NORMALIZATION", "FULLY_CONNECTED", "SOFTMAX"]
_OLDEST_RUNTIME = "min_runtime_version"
_DESCRIPTION = "made by edge-effnet"
_OPTIONS, _QUANTIZATION, _SPARSITY = (4, 12), 4, 6
_FIRST_OF_VERSION_3 = 127  # operator codes above it are in the newer field alone


@dataclass(frozen=True)
class _Row:
    """One kind of operator: its number, and the type of its options.

    Attributes:
        beta: softmax has a factor that is 0 where it is not written.
    """

    code: int
    options: int
    version: int = 1
    beta: float | None = None


_ROWS: dict[Kind, _Row] = {
    "DEQUANTIZE": _Row(6, 38, version=2),
    "L2_NORMALIZATION": _Row(11, 12),
    "FULLY_CONNECTED": _Row(9, 8),
    "SOFTMAX": _Row(25, 9, beta=1.0),
}


@dataclass(frozen=True, eq=False)
class NewOperator:
    """An operator of float32 values that is put behind what is kept.

    Attributes:
        source: the tensor it reads: an index of the old model, or the name of one made before.
        constants: what it reads beside it, in order.
        made: the name of what it makes.
        shape: of that.
    """

    kind: Kind
    source: int | str
    made: str
    shape: tuple[int, ...]
    constants: tuple[Float32Array, ...] = ()


def kept_operators(structure: Structure, tensor: int) -> list[int]:
    """Indices of the operators that a tensor is computed by, in order."""
    wanted, kept = {tensor}, list[int]()
    for operator in reversed(structure.operators):
        if wanted.intersection(operator.outputs):
            kept.append(operator.index)
            wanted.update(operator.inputs)
    return kept[::-1]


def with_new_end(
    model: bytes,
    structure: Structure,
    last: int,
    added: Sequence[NewOperator],
    outputs: Sequence[int | str],
    metadata: dict[str, bytes] | None = None,
) -> bytes:
    """The same network up to a tensor, and other operators behind it.

    Args:
        model: without an archive behind it.
        structure: of the model.
        last: the tensor that is kept, with everything that it is computed by.
        added: in the order in which they compute.
        outputs: tensors: indices of the old model, or names of those made.
        metadata: that take the place of the old model's, but for the oldest runtime that runs it.

    Raises:
        ModelError: the model has several graphs, or keeps its weights behind the FlatBuffer.
    """
    kept = kept_operators(structure, last)
    return _Writer(model, structure, kept).write(added, outputs, metadata or {})


class _Writer:
    """Writes in front of the old bytes."""

    def __init__(self, model: bytes, structure: Structure, kept: Sequence[int]) -> None:
        self.root, self.structure = Table.root(memoryview(model)), structure
        graphs, self.buffers = self.root.tables(2), self.root.tables(4)
        outside = any(buffer.scalar(2, "<Q") for buffer in self.buffers)
        outside |= any(one.scalar(10, "<Q") for graph in graphs for one in graph.tables(3))
        if len(graphs) != 1 or outside:
            raise ModelError(
                "the end of this model cannot be exchanged",
                found=f"{len(graphs)} graphs"
                if len(graphs) != 1
                else "weights behind it, as in files of over 2 GB",
                expected="one graph, with its weights inside",
                fix="convert the network again with edge-effnet convert",
            )
        (graph,) = graphs
        self.tensors, operators = graph.tables(0), graph.tables(3)
        self.operators = [operators[index] for index in kept]
        used_codes = max((table.scalar(0, "<I") for table in self.operators), default=-1) + 1
        self.codes = self.root.tables(1)[:used_codes]
        used = {index for i in kept for index in _of(structure, i)} | set(structure.inputs)
        used.update(index for table in self.operators for index in table.numbers(8, "i"))
        used.discard(-1)
        self.free = [index for index in range(len(self.tensors)) if index not in used]
        self.entries = [one for one in self.root.tables(6) if one.text(0) == _OLDEST_RUNTIME]
        named = {entry.scalar(1, "<I") for entry in self.entries}
        holding = {0} | named | {self.tensors[index].scalar(2, "<I") for index in used}
        self.empty = [index for index in range(len(self.buffers)) if index not in holding]
        model = _without_end(model, [self.buffers[index] for index in self.empty])
        self.writer = Prepending(model, self._first_needed(used, holding))

    def _first_needed(self, used: set[int], holding: set[int]) -> int:
        """Where what stays begins: what lies before is the old end of the network, or nothing.

        Writers put a table in front of all that it refers to, but for where its fields are listed
        (vtable), which may be anywhere.
        """
        tensors = [self.tensors[index] for index in used]
        if any(tensor.place(_SPARSITY) is not None for tensor in tensors):
            return 0  # has tables of its own
        needed = [*self.operators, *self.codes, *tensors, *self.entries]
        needed += [self.buffers[index] for index in holding]
        options = [table.table(number) for table in self.operators for number in _OPTIONS]
        needed += filter(None, (*options, *(table.table(_QUANTIZATION) for table in tensors)))
        first = min(min(table.position, table.vtable) for table in needed)
        return first // ALIGNMENT * ALIGNMENT

    def write(
        self,
        added: Sequence[NewOperator],
        outputs: Sequence[int | str],
        metadata: dict[str, bytes],
    ) -> bytes:
        writer = self.writer
        tensors = Places(map(writer.old, self.tensors), self.free)
        buffers = Places(map(writer.old, self.buffers), self.empty)
        self.names: dict[str, int] = {}
        known = operator_codes(self.root)[: len(self.codes)]
        codes = {code: index for index, code in enumerate(known)}
        new_codes, operators = list[int](), [writer.old(table) for table in self.operators]

        def constant(values: Float32Array, name: str) -> int:
            data = writer.data(values.astype("<f4").tobytes())
            buffer = buffers.put(writer.table((0, data)))
            return tensors.put(self._tensor(name, values.shape, buffer))

        for operator in added:
            row = _ROWS[operator.kind]
            inputs = [
                self._index(operator.source),
                *(
                    constant(values, f"{operator.made}_{number}")
                    for number, values in enumerate(operator.constants)
                ),
            ]
            made = tensors.put(self._tensor(operator.made, operator.shape, 0))
            self.names[operator.made] = made
            key = (operator.kind, row.version)
            if key not in codes:
                codes[key] = len(self.codes) + len(new_codes)
                new_codes.append(self._code(row))
            operators.append(self._operator(row, codes[key], inputs, [made]))
        entries = [writer.old(table) for table in self.entries]
        for name, content in metadata.items():
            place = buffers.put(writer.table((0, writer.data(content))))
            entries.append(writer.table((0, writer.text(name)), (1, place, "Uint32", 0)))
        ends = [self._index(end) for end in outputs]
        tensors.fill(lambda index: self._tensor(f"unused_{index}", (), 0))
        buffers.fill(lambda _: writer.table())
        graph = writer.table(
            (0, writer.vector(tensors.offsets)),
            (1, writer.numbers(self.structure.inputs)),
            (2, writer.numbers(ends)),
            (3, writer.vector(operators)),
            (4, writer.text("main")),
        )
        old_codes = [writer.old(table) for table in self.codes]
        root = writer.table(
            (0, self.root.scalar(0, "<I"), "Uint32", 0),
            (1, writer.vector([*old_codes, *new_codes])),
            (2, writer.vector([graph])),
            (3, writer.text(_DESCRIPTION)),
            (4, writer.vector(buffers.offsets)),
            (6, writer.vector(entries)),
            (7, writer.vector([self._signature(ends)])),
        )
        return writer.finish(root, FILE_IDENTIFIER)

    def _index(self, tensor: int | str) -> int:
        return tensor if isinstance(tensor, int) else self.names[tensor]

    def _tensor(self, name: str, shape: Sequence[int], buffer: int) -> int:
        return self.writer.table(
            (0, self.writer.numbers(shape)),
            (1, DTYPES.index("float32"), "Int8", 0),
            (2, buffer, "Uint32", 0),
            (3, self.writer.text(name)),
            (8, True, "Bool", False),
        )

    def _code(self, row: _Row) -> int:
        return self.writer.table(
            (0, min(row.code, _FIRST_OF_VERSION_3), "Int8", 0),
            (2, row.version, "Int32", 1),
            (3, row.code, "Int32", 0),
        )

    def _operator(self, row: _Row, code: int, inputs: Sequence[int], made: Sequence[int]) -> int:
        beta = [(0, row.beta, "Float32", 0.0)] if row.beta is not None else []
        return self.writer.table(
            (0, code, "Uint32", 0),
            (1, self.writer.numbers(inputs)),
            (2, self.writer.numbers(made)),
            (3, row.options, "Uint8", 0),
            (4, self.writer.table(*beta)),
        )

    def _signature(self, outputs: Sequence[int]) -> int:
        def entry(name: str, tensor: int) -> int:
            return self.writer.table((0, self.writer.text(name)), (1, tensor, "Uint32", 0))

        image, *_ = self.structure.inputs
        names = self._old_names()
        names.update({index: name for name, index in self.names.items()})
        return self.writer.table(
            (0, self.writer.vector([entry(names.get(image, "image"), image)])),
            (1, self.writer.vector([entry(names.get(end, "features"), end) for end in outputs])),
            (2, self.writer.text("serving_default")),
        )

    def _old_names(self) -> dict[int, str]:
        """What the old signature calls its inputs and outputs, by tensor."""
        try:
            signatures = self.root.tables(7)
            ends = [end for one in signatures for number in (0, 1) for end in one.tables(number)]
            return {end.scalar(1, "<I"): end.text(0) for end in ends}
        except (struct.error, IndexError):
            return {}  # damaged ones name nothing; no runtime needs them


def _of(structure: Structure, operator: int) -> tuple[int, ...]:
    found = structure.operators[operator]
    return found.inputs + found.outputs


def _without_end(model: bytes, unused: Sequence[Table]) -> bytes:
    """Cut off the buffers that nothing needs and behind which nothing lies.

    Only padding lies between vectors of bytes that were written one after the other.
    """
    spans = [(start - 4, start + size) for start, size in (b.vector(0) for b in unused) if size]
    end = len(model)
    for start, stop in sorted(spans, reverse=True):
        if end - stop >= ALIGNMENT or any(model[stop:end]):
            break
        end = start
    return model[:end]
