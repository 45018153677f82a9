"""One float image with channels last and a float answer, whatever stands around the network."""

from __future__ import annotations

import numpy as np

from converters.float_model.tflite_files.editable import EditableGraph
from edge_effnet.errors import ModelError

_CHANNELS_LAST = [0, 2, 3, 1]


def take_float_image(graph: EditableGraph) -> str | None:
    """Drop a CAST or DEQUANTIZE of integer pixels, and a TRANSPOSE of channels-first images.

    Networks from PyTorch begin with the last. What reads the input otherwise is left alone.

    Returns:
        The type that pixels were cast from: then they are fed as they are, 0–255, or −128 to 127
        where only that fits in; None where they were not cast.

    Raises:
        ModelError: another type, or channels first and no such operator.
    """
    if graph.dtype(graph.inputs[0]) != "float32":
        _drop_first(graph, "DEQUANTIZE")
    transposed = _drop_first(graph, "TRANSPOSE")
    dtype = graph.dtype(graph.inputs[0])
    cast = dtype != "float32" and _drop_first(graph, "CAST")
    if cast and not transposed:
        _drop_first(graph, "TRANSPOSE")
    source = graph.inputs[0]
    if graph.dtype(source) != "float32":
        raise ModelError(
            f"{graph.name} does not take float images",
            found=f"a {graph.dtype(source)} input",
            expected="float32",
            fix="export it with a float32 input",
        )
    if graph.shape(source)[3] not in {1, 3}:
        raise ModelError(
            f"{graph.name} wants its images with the channels first",
            found=f"input shape {list(graph.shape(source))}",
            expected="[1, height, width, 3] or [1, height, width, 1]",
            fix="export it with channels last: litert_torch.to_channel_last_io, or onnx2tf",
        )
    return dtype if cast else None


def _drop_first(graph: EditableGraph, kind: str) -> bool:
    """Let the network begin behind the one operator of this kind that reads the input."""
    source = graph.inputs[0]
    readers = [op for op in graph.operators if source in graph.read_by(op)]
    if len(readers) != 1 or graph.kind(readers[0]) != kind:
        return False
    (behind,) = graph.made_by(readers[0])
    if kind == "TRANSPOSE" and not _to_channels_last(graph, graph.read_by(readers[0])[1]):
        return False
    if kind != "TRANSPOSE" and graph.dtype(behind) != "float32":
        return False
    name = graph.tensors[source].name
    graph.tensors[source].name, graph.tensors[behind].name = name + b"_before", name
    graph.inputs = [behind]
    graph.operators.remove(readers[0])
    for signature in graph.tree.signatureDefs or []:
        for entry in signature.inputs or []:
            entry.tensorIndex = behind
    graph.changed = True
    return True


def take_float_answer(graph: EditableGraph) -> None:
    """Drop the QUANTIZE that rounds a float answer."""
    last = next((op for op in graph.operators if graph.outputs[0] in graph.made_by(op)), None)
    if last is None or graph.kind(last) != "QUANTIZE":
        return
    (before,), rounded = graph.read_by(last), graph.outputs[0]
    if graph.dtype(before) != "float32":
        return
    name = graph.tensors[rounded].name
    graph.tensors[rounded].name, graph.tensors[before].name = name + b"_rounded", name
    graph.outputs = [before]
    graph.operators.remove(last)
    for signature in graph.tree.signatureDefs or []:
        for entry in signature.outputs or []:
            entry.tensorIndex = before
    graph.changed = True


def _to_channels_last(graph: EditableGraph, order: int) -> bool:
    return graph.is_constant(order) and np.array_equal(graph.constant(order), _CHANNELS_LAST)
