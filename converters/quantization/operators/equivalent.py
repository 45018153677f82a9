"""Float operators replaced by others that give the same result and have fast int8 kernels.

NEG has an int8 kernel that ignores zero points, SQUARE has none; those of PRELU, ABS, HARD_SWISH
and of a RELU on its own compute one value at a time, outside of the XNNPACK delegate (PRELU 0.7 ms
where four operators that it takes need 0.07; MobileNetV3-Small 0.72 ms with HARD_SWISH, 0.49
without). What the operators make keeps its name and its range.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from converters.tflite_graph.unused import drop_unused
from edge_effnet.arrays import Float32Array
from edge_effnet.tflite.editor import operator_code, pack_tree, read_tree
from edge_effnet.tflite.reader import Structure, parse_structure

_Ranges = Mapping[str, tuple[float, float]]
# Fused activations by the operators that compute the same.
_FUSED = {"RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}
_REWRITTEN = frozenset({*_FUSED, "HARD_SWISH", "NEG", "SQUARE", "DIV", "POW", "PRELU", "ABS"})


def with_equivalent_operators(
    model: bytes, ranges: _Ranges, *, edge_tpu: bool = False
) -> tuple[bytes, _Ranges]:
    """Rewrite a float model; the same bytes where there is nothing to rewrite.

    Args:
        edge_tpu: LEAKY_RELU as well, which the Edge TPU does not have.
        ranges: of its activations, by tensor name; those of new tensors are added. Without ranges
            (an empty mapping) nothing is added.
    """
    structure = parse_structure(model, "the float model")
    rewritten = _REWRITTEN | ({"LEAKY_RELU"} if edge_tpu else set[str]())
    if not any(operator.name in rewritten for operator in structure.operators):
        return model, ranges
    rewriter = _Rewriter(model, structure, ranges)
    for operator in structure.operators:
        if operator.name in rewritten:
            rewriter.visit(operator.index, operator.name)
        else:
            rewriter.keep(operator.index)
    return rewriter.pack(), rewriter.ranges


class _Rewriter:
    """Walks the operators in order and notes those to be written."""

    def __init__(self, model: bytes, structure: Structure, ranges: _Ranges) -> None:
        self.schema, self.tree = read_tree(model)
        self.graph = self.tree.subgraphs[0]
        self.structure, self.ranges = structure, dict(ranges)
        self.operators: list[Any] = []

    def keep(self, index: int) -> None:
        self.operators.append(self.graph.operators[index])

    def visit(self, index: int, kind: str) -> None:
        operator = self.graph.operators[index]
        source, *others = (int(number) for number in operator.inputs)
        out = int(operator.outputs[0])
        constant = self._constant(others[0]) if others else None
        if self.graph.tensors[source].type != self.schema.TensorType.FLOAT32:
            self.operators.append(operator)
        elif kind in _FUSED:
            self._multiply(source, 1.0, out, _FUSED[kind])
        elif kind == "NEG":
            self._multiply(source, -1.0, out)
        elif kind == "ABS":
            self._add(self._above(source, out), self._below(source, out), out)
        elif kind == "PRELU" and constant is not None:
            self._bend(source, constant, out)
        elif kind == "LEAKY_RELU":
            self._bend(source, np.full((1,), operator.builtinOptions.alpha, np.float32), out)
        elif kind == "HARD_SWISH":
            self._hard_swish(source, out)
        elif kind == "SQUARE" or (kind == "POW" and _is(constant, 2)):
            self._emit("MUL", [source, source], out)
        elif kind == "POW" and _is(constant, 0.5):
            self._emit("SQRT", [source], out)
        elif kind == "DIV" and constant is not None and (constant != 0).all():
            activation = int(operator.builtinOptions.fusedActivationFunction)
            self._multiply(source, np.asarray(1 / constant, np.float32), out, activation)
        else:
            self.operators.append(operator)

    def _bend(self, source: int, slope: Float32Array, out: int) -> None:
        """x above 0, and ``slope`` times x below."""
        below = self._below(source, out)
        product = self._new(out, "below times slope", self._times(below, -slope))
        self._multiply(below, -slope, product)
        self._add(self._above(source, out), product, out)

    def _hard_swish(self, source: int, out: int) -> None:
        """x / 6 times x + 3 cut at 0 and 6."""
        low, high = self._range(source)
        sixth = self._new(out, "sixth", (low / 6, high / 6))
        self._multiply(source, 1 / 6, sixth)
        gate = self._new(out, "gate", (0.0, min(max(high + 3, 0.0), 6.0)))
        self._emit("ADD", [source, self._stored(out, 3.0)], gate, _FUSED["RELU6"])
        self._emit("MUL", [sixth, gate], out)

    def _above(self, source: int, out: int) -> int:
        """What of a tensor lies above 0."""
        made = self._new(out, "above", (0.0, max(self._range(source)[1], 0.0)))
        self._multiply(source, 1.0, made, _FUSED["RELU"])
        return made

    def _below(self, source: int, out: int) -> int:
        """How far a tensor lies below 0."""
        made = self._new(out, "below", (0.0, max(-self._range(source)[0], 0.0)))
        self._multiply(source, -1.0, made, _FUSED["RELU"])
        return made

    def _range(self, index: int) -> tuple[float, float]:
        return self.ranges.get(self._name(index), (0.0, 0.0))

    def _times(self, index: int, factors: Float32Array) -> tuple[float, float]:
        """The range of a tensor times constants."""
        ends = np.outer(self._range(index), [factors.min(), factors.max()])
        return float(ends.min()), float(ends.max())

    def _name(self, index: int) -> str:
        return str(self.graph.tensors[index].name.decode("utf-8", "replace"))

    def _new(self, like: int, suffix: str, limits: tuple[float, float]) -> int:
        """A new activation in the shape of another, with its range."""
        known, tensor = self.graph.tensors[like], self.schema.TensorT()
        tensor.name = known.name + b";" + suffix.encode()
        tensor.shape, tensor.type = known.shape, known.type
        self.graph.tensors.append(tensor)
        if self.ranges:
            self.ranges[self._name(len(self.graph.tensors) - 1)] = limits
        return len(self.graph.tensors) - 1

    def _constant(self, index: int) -> Float32Array | None:
        tensor = self.graph.tensors[index]
        data = self.tree.buffers[tensor.buffer].data
        if data is None or not len(data) or tensor.type != self.schema.TensorType.FLOAT32:
            return None
        return np.asarray(data, np.uint8).view(np.float32).reshape(tensor.shape)

    def _multiply(
        self, source: int, factor: float | Float32Array, out: int, activation: int = 0
    ) -> None:
        self._emit("MUL", [source, self._stored(out, factor)], out, activation)

    def _stored(self, out: int, constant: float | Float32Array) -> int:
        """A constant that helps to make ``out``."""
        values = np.atleast_1d(np.asarray(constant, np.float32))
        tensor, buffer = self.schema.TensorT(), self.schema.BufferT()
        tensor.name = self.graph.tensors[out].name + b";constant"
        tensor.shape, tensor.type = np.array(values.shape, np.int32), self.schema.TensorType.FLOAT32
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.tree.buffers.append(buffer)
        tensor.buffer = len(self.tree.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _add(self, one: int, other: int, out: int) -> None:
        self._emit("ADD", [one, other], out)

    def _emit(self, kind: str, inputs: list[int], out: int, activation: int = 0) -> None:
        operator = self.schema.OperatorT()
        operator.opcodeIndex = operator_code(
            self.schema, self.tree, getattr(self.schema.BuiltinOperator, kind)
        )
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([out], np.int32)
        if kind in {"MUL", "ADD"}:
            options = f"{kind.capitalize()}Options"
            operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(self.schema, f"{options}T")()
            operator.builtinOptions.fusedActivationFunction = activation
        self.operators.append(operator)

    def pack(self) -> bytes:
        self.graph.operators = self.operators
        drop_unused(self.tree)
        return pack_tree(self.tree)


def _is(constant: Float32Array | None, value: float) -> bool:
    return constant is not None and constant.size == 1 and float(constant.reshape(())) == value
