"""Weights that a file keeps in fewer bits, turned back into float32: exactly the stored values.

Dynamic range keeps int8 kernels beside float activations; other files expand float16 or int8
constants with DEQUANTIZE, which folding takes care of (``constants``).
Source: TensorFlow Lite 8-bit quantization specification: real = scale * (stored - zero point).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.float_model.tflite_files.editable import EditableGraph
from edge_effnet.arrays import Float32Array
from edge_effnet.errors import ModelError

_INTEGERS = {"int8", "uint8", "int16", "int4", "int2"}


def restore_weights(graph: EditableGraph) -> Counter[str]:
    """Turn integer constants that float operators read into float32.

    Returns:
        How many constants were of each type, those among them that folding expands.

    Raises:
        ModelError: constants in blocks, sparse ones, or shuffled for a CPU.
    """
    found: Counter[str] = Counter()
    done: set[int] = set()
    for operator in graph.operators:
        options = operator.builtinOptions
        if getattr(options, "asymmetricQuantizeInputs", False):
            options.asymmetricQuantizeInputs, graph.changed = False, True
        expands = graph.kind(operator) in {"DEQUANTIZE", "DENSIFY"}
        makes_float = graph.dtype(graph.made_by(operator)[0]) == "float32"
        for index in graph.read_by(operator):
            if index in done or not graph.is_constant(index):
                continue
            dtype = graph.dtype(index)
            weights = dtype == "float16" or (dtype in _INTEGERS and _scales(graph, index).size)
            if not weights:
                continue
            found[dtype] += 1
            done.add(index)
            if not makes_float or expands:
                continue
            if dtype == "float16":
                graph.set_constant(index, graph.constant(index).astype(np.float32))
                continue
            _refuse_unknown_layout(graph, operator, index)
            graph.set_constant(index, _real(graph, index))
    return found


def _scales(graph: EditableGraph, index: int) -> NDArray[np.float32]:
    quantization = graph.tensors[index].quantization
    stored = None if quantization is None else quantization.scale
    return np.asarray([] if stored is None else stored, np.float32)


def _real(graph: EditableGraph, index: int) -> Float32Array:
    stored, scales = graph.constant(index), _scales(graph, index)
    quantization = graph.tensors[index].quantization
    zero_points = np.asarray([] if quantization.zeroPoint is None else quantization.zeroPoint)
    shifted = stored.astype(np.int32)
    if scales.size == 1:
        return np.asarray((shifted - int(zero_points.sum())) * scales[0], np.float32)
    axis = int(quantization.quantizedDimension)
    if not 0 <= axis < stored.ndim or stored.shape[axis] != scales.size:
        raise ModelError(
            f"{graph.name} is damaged",
            found=f"{scales.size} scales for weights {list(stored.shape)}",
            expected="one, or one for each channel",
            fix="copy or convert it again",
        )
    along = [1] * stored.ndim
    along[axis] = scales.size
    if zero_points.size == scales.size:
        shifted = shifted - zero_points.astype(np.int32).reshape(along)
    return np.asarray(shifted * scales.reshape(along), np.float32)


def _refuse_unknown_layout(graph: EditableGraph, operator: Any, index: int) -> None:
    tensor = graph.tensors[index]
    blocks = tensor.quantization.detailsType != 0
    shuffled = getattr(operator.builtinOptions, "weightsFormat", 0) != 0
    for odd, what in (
        (blocks, "weights with a scale for each block"),
        (tensor.sparsity is not None, "sparse weights"),
        (shuffled, "weights in a shuffled order"),
    ):
        if odd:
            raise ModelError(
                f"{graph.name} stores its weights in a way that cannot be turned back into float",
                found=what,
                expected="float32, float16, or int8 with one scale for each tensor or channel",
                fix="convert from the float model it was made from",
            )
