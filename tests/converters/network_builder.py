"""Writes small ``.tflite`` models for tests, tensor by tensor, and asks them."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.tflite.editor import pack_tree


class NetworkBuilder:
    """A model under construction; tensors and operators in order."""

    def __init__(self) -> None:
        self.tree, self.graph = schema.ModelT(), schema.SubGraphT()
        self.tree.version, self.tree.buffers = 3, [schema.BufferT()]
        self.tree.operatorCodes, self.tree.subgraphs = [], [self.graph]
        self.graph.tensors, self.graph.operators = [], []

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        values: NDArray[Any] | None = None,
        dtype: str = "float32",
        scales: NDArray[np.float32] | None = None,
        axis: int = 0,
    ) -> int:
        made = schema.TensorT()
        made.name, made.shape = name.encode(), np.array(shape, np.int32)
        kind = dtype if values is None else values.dtype.name
        made.type = getattr(schema.TensorType, kind.upper())
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            self.tree.buffers.append(buffer)
            made.buffer = len(self.tree.buffers) - 1
        if scales is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.asarray(scales, np.float32)
            made.quantization.zeroPoint = np.zeros(scales.size, np.int64)
            made.quantization.quantizedDimension = axis
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def operator(
        self, kind: str, inputs: list[int], output: int, options: str = "", **settings: Any
    ) -> None:
        code, made = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        code.version = 1
        self.tree.operatorCodes.append(code)
        made.opcodeIndex = len(self.tree.operatorCodes) - 1
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, f"{options}T")()
            for key, value in settings.items():
                setattr(made.builtinOptions, key, value)
        self.graph.operators.append(made)

    def pack(self, source: int, answers: list[int]) -> bytes:
        self.graph.inputs = np.array([source], np.int32)
        self.graph.outputs = np.array(answers, np.int32)
        return pack_tree(self.tree)


def answer(model: bytes, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    interpreter = open_bytes(model)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
