"""The graph of a SavedModel, read without TensorFlow: its operators, and what it takes and gives.

Sources: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto (SignatureDef, TensorInfo),
tensorflow/core/framework/graph.proto, function.proto, node_def.proto, tensor_shape.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edge_effnet.errors import DataError, ModelError
from edge_effnet.files.read import open_file
from edge_effnet.model_files.protobuf import Field, fields

_BYTES = 2
_MOST_FIELDS = 1_000_000  # in all, of a file made to keep a reader busy
_LONGEST_NAME = 1000
_SIGNATURE = b"serving_default"

_READING = frozenset(
    "EagerPyFunc GenerateVocabRemapping InitializeTable InitializeTableFromTextFile MatchingFiles"
    " PyFunc PyFuncStateless ReadFile WriteFile".split()
)
# Of Keras' layers for images and of TensorFlow's own arithmetic; all are in TFLite.
_USUAL = frozenset(
    "Abs Add AddN AddV2 All Any ArgMax ArgMin Assert AssignVariableOp AvgPool BatchMatMul"
    " BatchMatMulV2 BatchMatMulV3 BatchToSpaceND BiasAdd BroadcastTo Cast Ceil ClipByValue Concat"
    " ConcatV2 Const Conv2D Conv2DBackpropInput Cumsum DepthToSpace DepthwiseConv2dNative"
    " DisableCopyOnRead Div DivNoNan Einsum Elu Equal Erf Exp ExpandDims Fill Floor FloorDiv"
    " FloorMod FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 GatherNd GatherV2 Greater"
    " GreaterEqual Identity IdentityN L2Loss LeakyRelu Less LessEqual Log LogSoftmax LogicalAnd"
    " LogicalNot LogicalOr MatMul Max MaxPool MaxPoolV2 Maximum Mean MergeV2Checkpoints Min"
    " Minimum MirrorPad Mul Neg NoOp NotEqual OneHot Pack Pad PadV2 PartitionedCall Placeholder"
    " PlaceholderWithDefault Pow PreventGradient Prod RandomUniform Range Rank ReadVariableOp"
    " RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor RestoreV2"
    " ReverseV2 Round Rsqrt SaveV2 Select SelectV2 Selu Shape ShardedFilename Sigmoid Sign Slice"
    " Softmax Softplus Softsign SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square"
    " SquaredDifference Squeeze StatefulPartitionedCall StaticRegexFullMatch StopGradient"
    " StridedSlice StringJoin Sub Sum Tan Tanh Tile TopKV2 Transpose Unpack VarHandleOp"
    " VarIsInitializedOp Where ZerosLike".split()
)


@dataclass(frozen=True)
class SavedGraph:
    """What the bytes of ``saved_model.pb`` tell.

    Attributes:
        operators: names of all, without calls of its own functions.
        inputs: name and shape of each input of its signature, batch first, -1 where a side is
            open; a shape is None where it has no fixed number of dimensions.
        outputs: names of what its signature gives.
    """

    operators: frozenset[str]
    inputs: tuple[tuple[str, tuple[int, ...] | None], ...]
    outputs: tuple[str, ...]


def touches_more(operator: str) -> bool:
    """Whether it runs Python, or reads or writes files, when the graph runs."""
    return operator in _READING or "Dataset" in operator or "Reader" in operator


def refuse_operators(folder: Path, names: frozenset[str]) -> None:
    """Refuse a graph with operators that no conversion runs.

    Args:
        names: of those that touch more than tensors or that TensorFlow does not have.

    Raises:
        ModelError: names them.
    """
    if names:
        raise ModelError(
            f"{folder} holds operators that cannot be converted",
            found=", ".join(sorted(names)[:5]),
            expected="TensorFlow's own, and none that reads or writes files or keeps a state",
            fix="export the network without them: model.export('NAME') of a network of "
            "Keras's own layers",
        )


def read_saved_graph(folder: Path) -> SavedGraph | None:
    """Read ``saved_model.pb``; None where it is damaged, which TensorFlow says better."""
    try:
        with open_file(folder / "saved_model.pb") as file:
            return _Reader(file).graph()
    except (DataError, OSError, ValueError):
        return None


def unusual_operators(folder: Path) -> tuple[str, ...]:
    """The first operators that seldom stand in a network on images, so that only a conversion can
    tell whether they are in TFLite."""
    graph = read_saved_graph(folder)
    return tuple(sorted(graph.operators - _USUAL)[:5]) if graph else ()


class _Reader:
    """Messages by the numbers of their fields; ValueError for bytes that are none."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, _MOST_FIELDS

    def graph(self) -> SavedGraph:
        size = self._file.seek(0, 2)
        operators, functions = set[str](), set[str]()
        signatures: dict[bytes, Field] = {}
        for meta in self._all((0, _BYTES, 0, size), 2):
            for graph in self._all(meta, 2):
                libraries = list(self._all(graph, 2))
                operators |= {self._text(node, 2) for node in self._all(graph, 1)}
                for function in (one for library in libraries for one in self._all(library, 1)):
                    functions |= {self._text(head, 1) for head in self._all(function, 1)}
                    operators |= {self._text(node, 2) for node in self._all(function, 3)}
            signatures |= self._map(meta, 5)
        signature = signatures.get(_SIGNATURE) or next(
            (entry for name, entry in signatures.items() if not name.startswith(b"__")), None
        )
        inputs = self._map(signature, 1) if signature else {}
        outputs = self._map(signature, 2) if signature else {}
        return SavedGraph(
            frozenset(operators - functions),
            tuple((name.decode(), self._shape(entry)) for name, entry in inputs.items()),
            tuple(sorted(name.decode() for name in outputs)),
        )

    def _shape(self, tensor: Field) -> tuple[int, ...] | None:
        for shape in self._all(tensor, 3):
            if any(number == 3 for number, *_ in self._fields(shape)):
                return None  # unknown_rank
            return tuple(self._size(side) for side in self._all(shape, 2))
        return None

    def _size(self, dimension: Field) -> int:
        for number, _, start, length in self._fields(dimension):
            if number == 1:
                self._file.seek(start)
                parts = enumerate(self._file.read(length))
                value = sum((byte & 0x7F) << 7 * place for place, byte in parts)
                return value - (1 << 64) if value >> 63 else value
        return 0

    def _map(self, message: Field, number: int) -> dict[bytes, Field]:
        """A map of texts to messages."""
        found = {}
        for entry in self._all(message, number):
            name, value = next(self._all(entry, 1), None), next(self._all(entry, 2), None)
            if name and value:
                found[self._bytes(name)] = value
        return found

    def _text(self, message: Field, number: int) -> str:
        found = next(self._all(message, number), None)
        return self._bytes(found).decode() if found else ""

    def _bytes(self, field: Field) -> bytes:
        self._file.seek(field[2])
        return self._file.read(min(field[3], _LONGEST_NAME))

    def _all(self, message: Field, number: int) -> Iterator[Field]:
        """The messages and texts under one number."""
        for field in self._fields(message):
            if field[:2] == (number, _BYTES):
                yield field

    def _fields(self, message: Field) -> list[Field]:
        self._file.seek(message[2])
        found = []
        for field in fields(self._file, message[2] + message[3]):
            found.append(field)
            self._left -= 1
            if self._left < 0:
                raise ValueError("too many fields")
        return found
