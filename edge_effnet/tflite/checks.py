"""Whether the parts of a ``.tflite`` fit together, told before a runtime opens it.

The runtime trusts much of what a file says: an index, a scale or a size that cannot be ends the
process there. What every runtime accepts must pass here.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from edge_effnet.errors import ModelError
from edge_effnet.files.limits import ACTIVATION_BYTES
from edge_effnet.tflite.constant_checks import constant_problems
from edge_effnet.tflite.flatbuffer import Table
from edge_effnet.tflite.operator_checks import operator_problem
from edge_effnet.tflite.reader import (
    Operator,
    Structure,
    Tensor,
    operator_codes,
    read_graph,
)

_BITS = {"float32": 32, "float16": 16, "int32": 32, "uint8": 8, "int64": 64, "bool": 8,
         "int16": 16, "complex64": 64, "int8": 8, "float64": 64, "complex128": 128, "uint64": 64,
         "uint32": 32, "uint16": 16, "int4": 4, "bfloat16": 16, "int2": 2}  # fmt: skip
_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int4": (-8, 7),
           "uint16": (0, 65535), "int2": (-2, 1), "int32": (-(1 << 31), (1 << 31) - 1)}  # fmt: skip
_MOST_ARGUMENTS = 1024  # values of a constant that is a shape, an axis or the like
_LARGEST_SCALE = 1e18  # products of three stay finite in float64 and float32


@dataclass(frozen=True)
class Demand:
    """What running a file once takes, as it states it.

    Attributes:
        bytes_at_once: the activations of its largest operator.
        loops: whether it repeats operators until something that it computes, maybe forever.
    """

    bytes_at_once: int
    loops: bool


def refuse_malformed(model: bytes, name: str) -> Demand:
    """Refuse a file whose parts contradict each other; linear in the size of the file.

    Args:
        name: for errors.

    Raises:
        ModelError: it is damaged, or asks for more memory at once than the limit.
    """
    largest, loops = 0, False
    try:
        root = Table.root(memoryview(model))
        buffers, codes = root.tables(4), operator_codes(root)
        for table in root.tables(2):
            graph = read_graph(table, buffers, codes)
            problem = next(_problems(table, graph, buffers), None)
            if problem is not None:
                raise damaged(name, problem)
            largest = max(largest, *(_bytes_at_once(graph, one) for one in graph.operators), 0)
            loops = loops or any(one.name.endswith("WHILE") for one in graph.operators)
    except (struct.error, IndexError, OverflowError, MemoryError) as error:
        raise damaged(
            name, f"a reference to a part that its {len(model):,} bytes do not hold"
        ) from error
    ACTIVATION_BYTES.check(largest, name, ModelError)
    return Demand(largest, loops)


def damaged(name: str, found: str) -> ModelError:
    """The error of a file whose parts contradict each other."""
    return ModelError(
        f"{name} is damaged",
        found=found,
        expected="a whole .tflite file",
        fix="copy or convert it again",
    )


def _problems(table: Table, graph: Structure, buffers: list[Table]) -> Iterator[str]:
    tables = table.tables(0)
    for tensor, stored in zip(graph.tensors, tables, strict=True):
        yield from _of_tensor(tensor, stored, buffers[stored.scalar(2, "<I")])
    yield from _of_order(graph, {i for i, one in enumerate(tables) if one.scalar(5, "<b")})
    for operator, stored in zip(graph.operators, table.tables(3), strict=True):
        problem = operator_problem(operator, stored, graph.tensors) or next(
            _of_constants(operator, graph, tables, buffers), None
        )
        if problem is not None:
            yield f"{operator.name} (operator {operator.index}) with {problem}"


def _of_constants(
    operator: Operator, graph: Structure, tables: list[Table], buffers: list[Table]
) -> Iterator[str]:
    def values(place: int) -> tuple[int, ...] | None:
        index = operator.inputs[place] if place < len(operator.inputs) else -1
        tensor = graph.tensors[index]
        code = {"int32": "i", "int64": "q"}.get(tensor.dtype)
        if index < 0 or code is None or not 0 < tensor.elements <= _MOST_ARGUMENTS:
            return None
        stored = buffers[tables[index].scalar(2, "<I")].raw(0)
        return struct.unpack_from(f"<{tensor.elements}{code}", stored) if stored else None

    source = graph.tensors[operator.inputs[0]] if operator.inputs else None
    if source is not None and operator.inputs[0] >= 0 and not source.shape_unknown:
        yield from constant_problems(operator.name, source, values)


def _of_tensor(tensor: Tensor, stored: Table, buffer: Table) -> Iterator[str]:
    shape = list(tensor.shape)
    if any(side < 0 for side in shape):
        yield f"a tensor of shape {shape[:8]}"
    if tensor.dtype.startswith("dtype-"):
        yield f"a tensor of an unknown type ({tensor.dtype})"
    sparse = stored.place(6) is not None
    least = 0 if sparse else math.ceil(tensor.elements * _BITS.get(tensor.dtype, 0) / 8)
    if 0 < tensor.constant_bytes < least:
        yield f"{tensor.constant_bytes} bytes for {tensor.dtype} {shape[:8]}"
    start, size = buffer.scalar(1, "<Q"), buffer.scalar(2, "<Q")
    if start > 1 and start + size > len(buffer.data):  # 0 and 1: stored in the table itself
        yield f"{size} bytes behind the end of the file"
    if tensor.scales and tensor.dtype in _RANGES:
        yield from _of_quantization(tensor)


def _of_quantization(tensor: Tensor) -> Iterator[str]:
    scales, points, axis = tensor.scales, tensor.zero_points, tensor.channel_axis
    least, most = _RANGES[tensor.dtype]
    # Converters write 0 for a channel whose weights are all 0, and where nothing is quantized.
    if not all(0 <= scale <= _LARGEST_SCALE for scale in scales):
        yield f"a scale of {next(s for s in scales if not 0 <= s <= _LARGEST_SCALE)}"
    if any(not least <= point <= most for point in points):
        yield f"a zero point outside of {tensor.dtype}"
    if len(points) not in {0, 1, len(scales)}:
        yield f"{len(scales)} scales and {len(points)} zero points for one tensor"
    if len(scales) > 1 and not tensor.shape_unknown:
        if not 0 <= axis < len(tensor.shape):
            yield f"scales along dimension {axis} of {len(tensor.shape)}"
        elif tensor.shape[axis] != len(scales):
            yield f"{len(scales)} scales for {tensor.shape[axis]} channels"


def _of_order(graph: Structure, variables: set[int]) -> Iterator[str]:
    """Whether every tensor is made once and before it is read, and the ends are what they are."""
    constant = {
        index
        for index, tensor in enumerate(graph.tensors)
        if tensor.constant_bytes or 0 in tensor.shape
    }
    inputs = set(graph.inputs)
    if len(inputs) != len(graph.inputs) or inputs & constant:
        yield "an input that is no input"
    known = constant | inputs | variables
    for operator in graph.operators:
        for index in operator.inputs:
            if index >= 0 and index not in known:
                yield f"{operator.name} (operator {operator.index}), which reads what nothing made"
        if not all(index >= 0 and index not in known for index in operator.outputs):
            yield f"{operator.name} (operator {operator.index}), which writes what is there already"
        known.update(operator.outputs)
    if not known.issuperset(graph.outputs):
        yield "an output that nothing makes"


def _bytes_at_once(graph: Structure, operator: Operator) -> int:
    """Of what an operator reads and writes, without constants."""
    bits = 0
    for index in (*operator.inputs, *operator.outputs):
        if index >= 0 and not graph.tensors[index].constant_bytes:
            bits += graph.tensors[index].elements * _BITS.get(graph.tensors[index].dtype, 8)
    return bits // 8
