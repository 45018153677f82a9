"""The main graph of a ``.tflite`` while it is being rewritten."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.float_model.tflite_files.checks import damaged
from converters.tflite_graph.names import name_apart
from converters.tflite_graph.unused import drop_unused
from edge_effnet.tflite.editor import has_old_operator_codes, pack_tree, read_tree
from edge_effnet.tflite.reader import DTYPES

_PACKED = {"int4": 4, "int2": 2}  # bits of a value; several share a byte, the lowest first
_DAMAGE = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, OSError, TypeError, ValueError),
    struct.error,
)


class EditableGraph:
    """Tensors by index, operators in order, constants as arrays.

    Args:
        model: whole, as far as ``parse_structure`` looks.
        name: for errors.

    Attributes:
        changed: whether anything had to be rewritten.

    Raises:
        ModelError: the parts that ``parse_structure`` does not look at are damaged.
        MissingExtra: the schema package is not installed.
    """

    def __init__(self, model: bytes, name: str) -> None:
        self.name = name
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.changed = False
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        try:
            self.schema, self.tree = read_tree(model)
            self.main = self.tree.subgraphs[0]
            self._load()
            self._refuse_wrong_indices()
            self.changed = has_old_operator_codes(model)
        except _DAMAGE as error:
            said = f"{len(model)} bytes that do not decode ({type(error).__name__})"
            raise damaged(name, said) from error
        numbers = vars(self.schema.BuiltinOperator).items()
        self._kinds = {number: kind for kind, number in numbers if isinstance(number, int)}
        self.changed |= name_apart(self.tensors)

    def _refuse_wrong_indices(self) -> None:
        """Signatures and intermediate results must name tensors, as ``parse_structure`` has seen
        that operators do.

        Raises:
            IndexError: one does not.
        """
        signatures = [one for one in self.tree.signatureDefs or [] if not one.subgraphIndex]
        ends = [end for one in signatures for end in (*(one.inputs or []), *(one.outputs or []))]
        named = [int(end.tensorIndex) for end in ends]
        for operator in self.operators:
            named += self.listed(operator.intermediates)
        if not all(-1 <= index < len(self.tensors) for index in named):
            raise IndexError("no such tensor")

    def kind(self, operator: Any) -> str:
        """The operator's name, such as ``CONV_2D``."""
        number = int(self.tree.operatorCodes[operator.opcodeIndex].builtinCode)
        return str(self._kinds.get(number, f"BUILTIN_{number}"))

    def read_by(self, operator: Any) -> list[int]:
        """The tensors an operator reads; inputs that it leaves out are not among them."""
        return [int(index) for index in self.listed(operator.inputs) if index >= 0]

    def made_by(self, operator: Any) -> list[int]:
        return [int(index) for index in self.listed(operator.outputs)]

    @staticmethod
    def listed(values: Any) -> list[int]:
        return [] if values is None else [int(value) for value in values]

    def dtype(self, index: int) -> str:
        return DTYPES[int(self.tensors[index].type)]

    def shape(self, index: int) -> tuple[int, ...]:
        return tuple(self.listed(self.tensors[index].shape))

    def is_constant(self, index: int) -> bool:
        data = self.tree.buffers[self.tensors[index].buffer].data
        return data is not None and len(data) > 0

    def constant(self, index: int) -> NDArray[Any]:
        """The stored values in the tensor's shape; of 4 bits or fewer as int8.

        Raises:
            ModelError: stored otherwise than its shape says, or in a type without arrays.
        """
        dtype, shape = self.dtype(index), self.shape(index)
        stored = np.asarray(self.tree.buffers[self.tensors[index].buffer].data, np.uint8)
        try:
            if dtype in _PACKED:
                return unpacked(stored, _PACKED[dtype], int(np.prod(shape))).reshape(shape)
            return stored.view(np.dtype(dtype)).reshape(shape)
        except (TypeError, ValueError) as error:
            said = f"{stored.size} bytes for {dtype} {list(shape)} in a constant"
            raise damaged(self.name, said) from error

    def set_constant(self, index: int, values: NDArray[Any]) -> None:
        """Make a tensor the constant ``values``, in a buffer of its own."""
        buffer, tensor = self.schema.BufferT(), self.tensors[index]
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.tree.buffers.append(buffer)
        tensor.buffer = len(self.tree.buffers) - 1
        tensor.type = DTYPES.index(values.dtype.name)
        tensor.shape = np.array(values.shape, np.int32)
        tensor.quantization = tensor.shapeSignature = None
        self.changed = True

    def keep_outputs(self, kept: Sequence[int]) -> None:
        """Leave out the other outputs, and what only they depend on."""
        self.outputs = list(kept)
        for signature in self.tree.signatureDefs or []:
            if not signature.subgraphIndex:
                signature.outputs = [o for o in signature.outputs or [] if o.tensorIndex in kept]
        self.drop_unused()

    def drop_unused(self) -> None:
        """Leave out operators, tensors and constants that the outputs do not depend on."""
        needed, kept = set(self.outputs), []
        for operator in reversed(self.operators):
            if needed.intersection(self.made_by(operator)):
                needed.update(self.read_by(operator))
                kept.append(operator)
        count = len(self.operators), len(self.tensors)
        self.operators = kept[::-1]
        self._store()
        drop_unused(self.tree)
        self._load()
        self.changed |= count != (len(self.operators), len(self.tensors))

    def pack(self) -> bytes:
        """The model as it is now."""
        self._store()
        return pack_tree(self.tree)

    def _load(self) -> None:
        self.tensors = list(self.main.tensors)
        self.operators = list(self.main.operators)
        self.inputs = [int(index) for index in self.main.inputs]
        self.outputs = [int(index) for index in self.main.outputs]

    def _store(self) -> None:
        self.main.tensors, self.main.operators = self.tensors, self.operators
        self.main.inputs = np.array(self.inputs, np.int32)
        self.main.outputs = np.array(self.outputs, np.int32)


def unpacked(stored: NDArray[np.uint8], bits: int, count: int) -> NDArray[np.int8]:
    """Values of 2 or 4 bits, two's complement."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    raw = (stored[:, None] >> shifts) & (2**bits - 1)
    signed = (raw.astype(np.int16) ^ 2 ** (bits - 1)) - 2 ** (bits - 1)
    return np.asarray(signed.reshape(-1)[:count], np.int8)
