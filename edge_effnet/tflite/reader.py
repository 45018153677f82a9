"""Read a ``.tflite`` file's structure with the standard library alone.

A model file is a FlatBuffer (tensorflow/lite/schema/schema.fbs). ``read_structure`` walks the
few tables we need: operators, tensors with their quantization, metadata. It works where no
schema package exists (a 32-bit Pi with tflite-runtime) and names what is wrong with a damaged
file instead of crashing. Writing is the converter's business.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_effnet.errors import DataError, ModelError
from edge_effnet.files.limits import MODEL_BYTES
from edge_effnet.files.read import open_file, read_bytes
from edge_effnet.model_files import identify, packed_tflite, refusal
from edge_effnet.tflite.flatbuffer import Table

FILE_IDENTIFIER = b"TFL3"
DTYPES = (
    "float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 "
    "uint64 resource variant uint32 uint16 int4 bfloat16 int2"
).split()
_OPERATORS = (
    "ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE "
    "EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D "
    "LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU "
    "RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH "
    "CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD "
    "UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB "
    "DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP "
    "TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX "
    "MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV "
    "SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN "
    "FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK "
    "REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE "
    "RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL "
    "REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE "
    "MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 "
    "SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES "
    "CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE "
    "HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE "
    "READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE "
    "RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD "
    "UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST "
    "BITWISE_XOR RIGHT_SHIFT"
).split()
_CUSTOM = _OPERATORS.index("CUSTOM")


@dataclass(frozen=True)
class Tensor:
    """One tensor of the main graph.

    Attributes:
        scales, zero_points: empty when not quantized; one of each per tensor, or one per
            channel along ``channel_axis``.
        constant_bytes: size of the data stored in the file; 0 for an activation.
        open_shape: the same as ``shape`` with -1 where any size may be fed; empty where the file
            does not say.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    channel_axis: int
    constant_bytes: int
    open_shape: tuple[int, ...] = ()

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def shape_unknown(self) -> bool:
        """Whether it may have any shape: writers leave out that of what is computed."""
        return not self.shape and not self.constant_bytes


@dataclass(frozen=True)
class Operator:
    """``custom_options``: what a custom operator brings with it; empty for all others."""

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    custom_options: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Structure:
    """The main graph of a model file; ``metadata`` holds the named buffers."""

    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    metadata: dict[str, bytes]


def read_structure(path: Path) -> Structure:
    """Read a model file's main graph.

    Raises:
        ModelError: missing, unreadable, no TFLite model, or damaged.
    """
    return parse_structure(read_model_bytes(path), str(path))


def read_model_bytes(path: Path) -> bytes:
    """Read a model file; out of a zip archive of Teachable Machine or Edge Impulse, the model.

    Raises:
        ModelError: missing, unreadable, damaged, above the limit, or no TFLite model: the message
            says what it is.
    """
    found = identify(path)
    if found.kind.code == "tflite-package":
        data = packed_tflite(path)
        if data[4:8] == FILE_IDENTIFIER:
            return data
        raise ModelError(
            f"{path} holds no TFLite model",
            found=f"{found.member}, which starts with {data[:8]!r}",
            expected=f"the identifier {FILE_IDENTIFIER.decode()} at byte 4",
            fix="export the model again",
        )
    if found.kind.code != "tflite":
        raise refusal(found, "run")
    try:
        return read_bytes(path, MODEL_BYTES, ModelError)
    except DataError as error:
        raise ModelError(
            error.what, found=error.found, expected="a .tflite file", fix=error.fix
        ) from error


def is_model_file(path: Path) -> bool:
    """Whether a file begins as a ``.tflite`` does; False for what cannot be read."""
    try:
        with open_file(path) as file:
            return file.read(8)[4:] == FILE_IDENTIFIER
    except (DataError, OSError):
        return False


def parse_structure(data: bytes, name: str) -> Structure:
    """Parse a model's bytes; ``name`` is used in errors.

    Raises:
        ModelError: the bytes are damaged or cut off.
    """
    try:
        return _parse(data)
    except (struct.error, IndexError, OverflowError, MemoryError) as error:
        raise ModelError(
            f"{name} is damaged or cut off",
            found=f"a reference to a part that its {len(data):,} bytes do not hold",
            expected="a whole .tflite file",
            fix="copy or convert it again",
        ) from error


def _parse(data: bytes) -> Structure:
    model = Table.root(memoryview(data))
    buffers = model.tables(4)
    main = read_graph(model.tables(2)[0], buffers, operator_codes(model))
    metadata = {
        entry.text(0): _buffer_bytes(data, buffers[entry.scalar(1, "<I")])
        for entry in model.tables(6)
    }
    return replace(main, metadata=metadata)


def operator_codes(model: Table) -> list[tuple[str, int]]:
    """Name and version of the operator kinds that a file uses, by index."""
    return [_operator_name(code) for code in model.tables(1)]


def read_graph(
    graph: Table, buffers: Sequence[Table], codes: Sequence[tuple[str, int]]
) -> Structure:
    """One graph of a file, without metadata.

    Raises:
        IndexError, struct.error: it refers to what is not there.
    """
    tensors = tuple(_tensor(table, buffers) for table in graph.tables(0))
    operators = []
    for index, table in enumerate(graph.tables(3)):
        name, version = codes[table.scalar(0, "<I")]
        options = table.raw(5) if name.startswith("CUSTOM:") else b""
        operators.append(
            Operator(index, name, version, table.numbers(1, "i"), table.numbers(2, "i"), options)
        )
    inputs, outputs = graph.numbers(1, "i"), graph.numbers(2, "i")
    optional = (index for op in operators for index in op.inputs + op.outputs if index != -1)
    for index in (*inputs, *outputs, *optional):  # -1: an optional input that is left out
        if not 0 <= index < len(tensors):
            raise IndexError(index)
    return Structure(tuple(operators), tensors, inputs, outputs, {})


def _operator_name(code: Table) -> tuple[str, int]:
    # Codes over 127 live in field 3; older files know only the byte in field 0.
    number = max(code.scalar(0, "<b"), code.scalar(3, "<i"))
    if number == _CUSTOM:
        return f"CUSTOM:{code.text(1)}", code.scalar(2, "<i", 1)
    name = _OPERATORS[number] if 0 <= number < len(_OPERATORS) else f"BUILTIN_{number}"
    return name, code.scalar(2, "<i", 1)


def _tensor(table: Table, buffers: Sequence[Table]) -> Tensor:
    dtype = table.scalar(1, "<b")
    quantization = table.table(4)
    buffer = buffers[table.scalar(2, "<I")]
    return Tensor(
        name=table.text(3),
        shape=table.numbers(0, "i"),
        dtype=DTYPES[dtype] if 0 <= dtype < len(DTYPES) else f"dtype{dtype}",
        scales=quantization.numbers(2, "f") if quantization else (),
        zero_points=quantization.numbers(3, "q") if quantization else (),
        channel_axis=quantization.scalar(6, "<i") if quantization else 0,
        constant_bytes=_buffer_size(buffer),
        open_shape=table.numbers(7, "i"),
    )


def _buffer_size(buffer: Table) -> int:
    inline = buffer.vector(0)
    end = inline[0] + inline[1]
    if end > len(buffer.data):
        raise IndexError(end)
    return inline[1] or buffer.scalar(2, "<Q")


def _buffer_bytes(data: bytes, buffer: Table) -> bytes:
    inline = buffer.raw(0)
    start = buffer.scalar(1, "<Q")
    buffer.allowance.take(0 if inline else buffer.scalar(2, "<Q"), 0)
    return inline or data[start : start + buffer.scalar(2, "<Q")]
