"""Operators that the quantizer does not know and the runtime has int8 kernels for.

The quantizer leaves them in float, with DEQUANTIZE in front and QUANTIZE behind. Where the kernel
exists, the operator takes the integers themselves and both go. What has no kernel stays as it is.

Source of the kernels and their demands on scales: TensorFlow Lite 8-bit quantization
specification; each was tried in LiteRT 2.3 against its float counterpart (at most one step apart).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from converters.tflite_graph.unused import drop_unused
from edge_effnet.arrays import Float32Array
from edge_effnet.tflite.editor import operator_code, pack_tree, read_tree

_LOW, _HIGH, _STEPS = -128, 127, 255


@dataclass(frozen=True)
class IntegerKernel:
    """An int8 kernel of the runtime.

    Attributes:
        version: the first of the operator that has it.
        scales: ``free``: the output has its own, or none where it is no number; ``same``: what
            goes in and comes out has one; ``fixed``: the output has ``fixed``, a scale and a zero
            point.
    """

    version: int
    scales: Literal["free", "same", "fixed"]
    fixed: tuple[float, int] = (1.0, 0)


INTEGER_KERNELS: dict[str, IntegerKernel] = {
    **{name: IntegerKernel(1, "free") for name in ("ELU", "RELU_0_TO_1")},
    **{name: IntegerKernel(2, "free") for name in ("LEAKY_RELU", "EXP", "LOG")},
    **{name: IntegerKernel(2, "same") for name in ("REDUCE_MAX", "MINIMUM", "DEPTH_TO_SPACE")},
    **{name: IntegerKernel(2, "same") for name in ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")},
    **{name: IntegerKernel(1, "same") for name in ("EXPAND_DIMS", "SQUEEZE", "TILE", "SPLIT_V")},
    **{
        name: IntegerKernel(2, "free")
        for name in ("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
    },
    "REVERSE_V2": IntegerKernel(3, "same"),
    "L2_NORMALIZATION": IntegerKernel(2, "fixed", (1 / 128, 0)),
    "LOG_SOFTMAX": IntegerKernel(2, "fixed", (16 / 256, 127)),
}


def use_integer_kernels(
    quantized: bytes,
    ranges: Mapping[str, tuple[float, float]],
    left_float: Collection[str] = (),
) -> bytes:
    """Let operators between DEQUANTIZE and QUANTIZE compute in int8, where the runtime can.

    Args:
        quantized: as the quantizer makes it.
        ranges: of the activations, by tensor name.
        left_float: tensors whose makers stay in float.
    """
    schema, tree = read_tree(quantized)
    rewriter = _Rewriter(schema, tree, ranges, frozenset(left_float))
    for operator in list(rewriter.graph.operators):
        rewriter.visit(operator)
    if not rewriter.changed:
        return quantized
    rewriter.finish()
    return pack_tree(tree)


class _Rewriter:
    """Walks the operators in order.

    Attributes:
        twins: the int8 tensor of each float one so far.
        made: of these, those that an operator rewritten here makes.
        alias: QUANTIZE outputs that are the same as a tensor that is there.
    """

    def __init__(
        self,
        schema: Any,
        tree: Any,
        ranges: Mapping[str, tuple[float, float]],
        left_float: frozenset[str],
    ) -> None:
        self.schema, self.tree, self.graph = schema, tree, tree.subgraphs[0]
        self.ranges, self.left_float = ranges, left_float
        self.names = {
            number: name
            for name, number in vars(schema.BuiltinOperator).items()
            if isinstance(number, int)
        }
        self.twins: dict[int, int] = {}
        self.made: dict[int, int] = {}
        self.alias: dict[int, int] = {}
        self.operators: list[Any] = []
        self.changed = False
        self.wanted = {
            int(operator.inputs[0]): self._parameters(int(operator.outputs[0]))
            for operator in self.graph.operators
            if self._kind(operator) == "QUANTIZE" and self._is_int8(int(operator.outputs[0]))
        }

    def _kind(self, operator: Any) -> str:
        return str(self.names[int(self.tree.operatorCodes[operator.opcodeIndex].builtinCode)])

    def visit(self, operator: Any) -> None:
        """Take over one operator, rewritten where its kernel exists."""
        kind, kernel = self._kind(operator), INTEGER_KERNELS.get(self._kind(operator))
        inputs = [self.alias.get(int(index), int(index)) for index in operator.inputs]
        operator.inputs = np.array(inputs, np.int32)
        if kind == "DEQUANTIZE" and self._is_int8(inputs[0]):
            self.twins[int(operator.outputs[0])] = inputs[0]
        elif kind == "QUANTIZE" and inputs[0] in self.made:
            self._requantize(operator, self.made[inputs[0]])
            return
        elif kernel is not None and self._can(operator, inputs):
            self._rewrite(operator, inputs, kernel)
            return
        self.operators.append(operator)

    def _is_int8(self, index: int) -> bool:
        return bool(self.graph.tensors[index].type == self.schema.TensorType.INT8)

    def _is_float(self, index: int) -> bool:
        return bool(self.graph.tensors[index].type == self.schema.TensorType.FLOAT32)

    def _name(self, index: int) -> str:
        return str(self.graph.tensors[index].name.decode("utf-8", "replace"))

    def _constant(self, index: int) -> Float32Array | None:
        """The values of a float constant, flat."""
        data = self.tree.buffers[self.graph.tensors[index].buffer].data
        if data is None or not len(data) or not self._is_float(index):
            return None
        return np.asarray(data, np.uint8).view(np.float32)

    def _can(self, operator: Any, inputs: list[int]) -> bool:
        """Whether it is to compute in int8, and all it reads and makes in float has a range."""
        names = [self._name(int(index)) for index in operator.outputs]
        made = [int(index) for index in operator.outputs]
        floats = [index for index in (*inputs, *made) if index >= 0 and self._is_float(index)]
        moving = [index for index in floats if self._constant(index) is None]
        # Without a float among them it computes with integers already, of indices or counts.
        return (
            bool(moving)
            and self.left_float.isdisjoint(names)
            and all(index in self.twins or self._name(index) in self.ranges for index in moving)
        )

    def _rewrite(self, operator: Any, inputs: list[int], kernel: IntegerKernel) -> None:
        """The operator on integers, and DEQUANTIZE behind it for readers that stay in float."""
        outputs = [int(index) for index in operator.outputs]
        floats = [index for index in inputs if index >= 0 and self._is_float(index)]
        shared = None
        if kernel.scales == "same":
            alone = len(floats) == 1 and floats[0] in self.twins
            shared = self._parameters(self.twins[floats[0]]) if alone else self._own(outputs[0])
        made = [
            self._int8_like(
                index, shared or (kernel.fixed if kernel.scales == "fixed" else self._own(index))
            )
            if self._is_float(index)
            else index
            for index in outputs
        ]
        operator.inputs = np.array([self._integer(i, shared) for i in inputs], np.int32)
        operator.outputs = np.array(made, np.int32)
        code = self.tree.operatorCodes[operator.opcodeIndex]
        operator.opcodeIndex = operator_code(
            self.schema, self.tree, int(code.builtinCode), max(kernel.version, int(code.version))
        )
        self.operators.append(operator)
        for index, twin in zip(outputs, made, strict=True):
            if index != twin:
                self.twins[index] = self.made[index] = twin
                self._append("DEQUANTIZE", twin, index)
        self.changed = True

    def _own(self, index: int) -> tuple[float, int]:
        """Scale and zero point of a float tensor: the quantizer's, where it has chosen them."""
        if index in self.wanted:
            return self.wanted[index]
        low, high = self.ranges[self._name(index)]
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max((high - low) / _STEPS, 1e-9)
        return scale, int(np.clip(round(_LOW - low / scale), _LOW, _HIGH))

    def _integer(self, index: int, shared: tuple[float, int] | None) -> int:
        """The tensor to read instead of this one."""
        if index < 0 or not self._is_float(index):
            return index
        values = self._constant(index)
        if values is not None:
            return self._quantized_constant(index, values, shared)
        if index not in self.twins:  # made by an operator that stays in float
            self.twins[index] = self._int8_like(index, self._own(index))
            self._append("QUANTIZE", index, self.twins[index])
        twin = self.twins[index]
        if shared is None or _equal(self._parameters(twin), shared):
            return twin
        rescaled = self._int8_like(index, shared)
        self._append("QUANTIZE", twin, rescaled)
        return rescaled

    def _quantized_constant(
        self, index: int, values: Float32Array, shared: tuple[float, int] | None
    ) -> int:
        """A float constant as int8: at the scale it shares, else symmetric."""
        scale, zero_point = shared or (max(float(np.abs(values).max()), 1e-9) / _HIGH, 0)
        twin = self._int8_like(index, (scale, zero_point))
        buffer = self.schema.BufferT()
        stored = np.clip(np.rint(values / scale) + zero_point, _LOW, _HIGH).astype(np.int8)
        buffer.data = stored.view(np.uint8)
        self.tree.buffers.append(buffer)
        self.graph.tensors[twin].buffer = len(self.tree.buffers) - 1
        return twin

    def _requantize(self, operator: Any, twin: int) -> None:
        """QUANTIZE of a tensor that is made in int8: from its scale to another, or nothing."""
        target = int(operator.outputs[0])
        if _equal(self._parameters(twin), self._parameters(target)):
            self.alias[target] = twin
        else:
            self._append("QUANTIZE", twin, target)

    def _append(self, kind: str, source: int, target: int) -> None:
        operator = self.schema.OperatorT()
        operator.opcodeIndex = operator_code(
            self.schema, self.tree, getattr(self.schema.BuiltinOperator, kind), 2
        )
        operator.inputs = np.array([source], np.int32)
        operator.outputs = np.array([target], np.int32)
        self.operators.append(operator)

    def _parameters(self, index: int) -> tuple[float, int]:
        stored = self.graph.tensors[index].quantization
        return float(stored.scale[0]), int(stored.zeroPoint[0])

    def _int8_like(self, index: int, parameters: tuple[float, int]) -> int:
        """A new int8 tensor in the shape of another."""
        known, tensor = self.graph.tensors[index], self.schema.TensorT()
        tensor.name = known.name + b"_int8"
        tensor.shape, tensor.type = known.shape, self.schema.TensorType.INT8
        tensor.quantization = self.schema.QuantizationParametersT()
        tensor.quantization.scale = np.array([parameters[0]], np.float32)
        tensor.quantization.zeroPoint = np.array([parameters[1]], np.int64)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def finish(self) -> None:
        """Drop conversions that nothing reads, and give tensors the names of the float model."""
        graph = self.graph
        graph.outputs = np.array([self.alias.get(int(i), int(i)) for i in graph.outputs], np.int32)
        read = set(map(int, graph.outputs))
        kept = []
        for operator in reversed(self.operators):
            if read.intersection(map(int, operator.outputs)):
                read.update(map(int, operator.inputs))
                kept.append(operator)
        graph.operators = kept[::-1]
        for index, twin in self.made.items():
            original = graph.tensors[index]
            graph.tensors[twin].name, original.name = original.name, original.name + b"_float"
        for signature in self.tree.signatureDefs or []:
            for entry in signature.outputs or []:
                entry.tensorIndex = self.alias.get(entry.tensorIndex, entry.tensorIndex)
        drop_unused(self.tree)


def _equal(one: tuple[float, int], other: tuple[float, int]) -> bool:
    return one[1] == other[1] and abs(one[0] - other[0]) <= 1e-6 * one[0]
