"""A model with another end: the operators up to one tensor stay, others follow them.

What stays is not rewritten. FlatBuffers refer forward by distances, so new tables are written in
front of the old bytes and point into them: each kept operator, tensor and buffer is the same, byte
for byte. Works with the pure Python package ``flatbuffers`` alone, also on a 32-bit Pi.

Table and field numbers: tensorflow/lite/schema/schema.fbs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edge_effnet.arrays import Float32Array
from edge_effnet.errors import ModelError
from edge_effnet.tflite.flatbuffer import Table
from edge_effnet.tflite.reader import DTYPES, FILE_IDENTIFIER, Structure, operator_codes

Kind = Literal["DEQUANTIZE", "L2_NORMALIZATION", "FULLY_CONNECTED", "SOFTMAX"]
_ALIGNMENT = 16  # of buffers, as the schema demands
_FREE_BYTES = 1 << 16
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
        import flatbuffers

        self.root, self.structure = Table.root(memoryview(model)), structure
        graphs, self.buffers = self.root.tables(2), self.root.tables(4)
        if len(graphs) != 1 or any(buffer.scalar(2, "<Q") for buffer in self.buffers):
            raise ModelError(
                "the end of this model cannot be exchanged",
                found=f"{len(graphs)} graphs" if len(graphs) != 1 else "weights of over 2 GB",
                expected="one graph, with its weights inside",
                fix="convert the network again with edge-effnet convert",
            )
        (graph,) = graphs
        self.tensors, operators = graph.tables(0), graph.tables(3)
        self.operators = [operators[index] for index in kept]
        used = {index for i in kept for index in _of(structure, i)} | set(structure.inputs)
        used.discard(-1)
        self.free = [index for index in range(len(self.tensors)) if index not in used]
        named = {
            entry.scalar(1, "<I")
            for entry in self.root.tables(6)
            if entry.text(0) == _OLDEST_RUNTIME
        }
        holding = {0} | named | {self.tensors[index].scalar(2, "<I") for index in used}
        self.empty = [index for index in range(len(self.buffers)) if index not in holding]
        model = _without_end(model, [self.buffers[index] for index in self.empty])
        old = model + bytes(-len(model) % _ALIGNMENT)
        self.length = len(old)
        self.builder = flatbuffers.Builder(len(old) + _FREE_BYTES)
        start = len(self.builder.Bytes) - len(old)
        self.builder.Bytes[start:] = old
        self.builder.head, self.builder.minalign = start, _ALIGNMENT

    def write(
        self,
        added: Sequence[NewOperator],
        outputs: Sequence[int | str],
        metadata: dict[str, bytes],
    ) -> bytes:
        tensors = _Places(map(self._old, self.tensors), self.free)
        buffers = _Places(map(self._old, self.buffers), self.empty)
        self.names: dict[str, int] = {}
        codes = {code: index for index, code in enumerate(operator_codes(self.root))}
        new_codes, operators = list[int](), [self._old(table) for table in self.operators]

        def constant(values: Float32Array, name: str) -> int:
            data = self._bytes(values.astype("<f4").tobytes())
            buffer = buffers.put(self._table((0, data)))
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
                codes[key] = len(codes)
                new_codes.append(self._code(row))
            operators.append(self._operator(row, codes[key], inputs, [made]))
        entries = []
        for table in self.root.tables(6):
            if table.text(0) == _OLDEST_RUNTIME:
                entries.append(self._old(table))
        for name, content in metadata.items():
            place = buffers.put(self._table((0, self._bytes(content))))
            entries.append(self._table((0, self._text(name)), (1, place, "Uint32", 0)))
        ends = [self._index(end) for end in outputs]
        tensors.fill(lambda index: self._tensor(f"unused_{index}", (), 0))
        buffers.fill(lambda _: self._table())
        graph = self._table(
            (0, self._vector(tensors.offsets)),
            (1, self._numbers(self.structure.inputs)),
            (2, self._numbers(ends)),
            (3, self._vector(operators)),
            (4, self._text("main")),
        )
        old_codes = [self._old(table) for table in self.root.tables(1)]
        root = self._table(
            (0, self.root.scalar(0, "<I"), "Uint32", 0),
            (1, self._vector([*old_codes, *new_codes])),
            (2, self._vector([graph])),
            (3, self._text("made by edge-effnet")),
            (4, self._vector(buffers.offsets)),
            (6, self._vector(entries)),
            (7, self._vector([self._signature(ends)])),
        )
        self.builder.Finish(root, file_identifier=FILE_IDENTIFIER)
        return bytes(memoryview(self.builder.Bytes)[self.builder.Head() :])

    def _index(self, tensor: int | str) -> int:
        return tensor if isinstance(tensor, int) else self.names[tensor]

    def _old(self, table: Table) -> int:
        """An offset of the builder: the distance from the end."""
        return self.length - table.position

    def _table(self, *fields: tuple[Any, ...]) -> int:
        """Fields: (number, offset), or (number, value, type of the builder, default)."""
        builder = self.builder
        builder.StartObject(max((field[0] for field in fields), default=-1) + 1)
        for number, value, *rest in fields:
            if rest:
                kind, default = rest
                getattr(builder, f"Prepend{kind}Slot")(number, value, default)
            else:
                builder.PrependUOffsetTRelativeSlot(number, value, 0)
        return int(builder.EndObject())

    def _tensor(self, name: str, shape: Sequence[int], buffer: int) -> int:
        return self._table(
            (0, self._numbers(shape)),
            (1, DTYPES.index("float32"), "Int8", 0),
            (2, buffer, "Uint32", 0),
            (3, self._text(name)),
            (8, True, "Bool", False),
        )

    def _code(self, row: _Row) -> int:
        return self._table(
            (0, min(row.code, _FIRST_OF_VERSION_3), "Int8", 0),
            (2, row.version, "Int32", 1),
            (3, row.code, "Int32", 0),
        )

    def _operator(self, row: _Row, code: int, inputs: Sequence[int], made: Sequence[int]) -> int:
        beta = [(0, row.beta, "Float32", 0.0)] if row.beta is not None else []
        return self._table(
            (0, code, "Uint32", 0),
            (1, self._numbers(inputs)),
            (2, self._numbers(made)),
            (3, row.options, "Uint8", 0),
            (4, self._table(*beta)),
        )

    def _signature(self, outputs: Sequence[int]) -> int:
        def entry(name: str, tensor: int) -> int:
            return self._table((0, self._text(name)), (1, tensor, "Uint32", 0))

        image, *_ = self.structure.inputs
        names = {index: name for name, index in self.names.items()}
        return self._table(
            (0, self._vector([entry("image", image)])),
            (1, self._vector([entry(names.get(end, "features"), end) for end in outputs])),
            (2, self._text("serving_default")),
        )

    def _vector(self, offsets: Sequence[int]) -> int:
        return self._elements(offsets, self.builder.PrependUOffsetTRelative)

    def _numbers(self, values: Sequence[int]) -> int:
        return self._elements(values, self.builder.PrependInt32)

    def _elements(self, values: Sequence[int], put: Callable[[int], Any]) -> int:
        self.builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            put(value)
        return int(self.builder.EndVector())

    def _bytes(self, content: bytes) -> int:
        builder = self.builder
        builder.StartVector(1, len(content), _ALIGNMENT)
        builder.head = builder.Head() - len(content)
        builder.Bytes[builder.Head() : builder.Head() + len(content)] = content
        builder.vectorNumElems = len(content)
        return int(builder.EndVector())

    def _text(self, text: str) -> int:
        return int(self.builder.CreateString(text))


class _Places:
    """The entries of a vector whose indices stay, some of which are free."""

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


_OLDEST_RUNTIME = "min_runtime_version"


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
        if end - stop >= _ALIGNMENT or any(model[stop:end]):
            break
        end = start
    return model[:end]
