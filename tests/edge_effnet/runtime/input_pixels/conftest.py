"""Small networks of others, whose files say nothing but what a test writes into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

SIDE = 8
COLOURS = ("blue", "green", "red")  # in sorted order, as folders are read
Step = tuple[str, Any]
MakeNetwork = Callable[..., bytes]


@pytest.fixture
def network() -> MakeNetwork:
    """Make a float network: ``network(before=[("MUL", 1 / 255)], …)``.

    It names the colour that an image has most of: the mean of each channel, a fully connected
    layer and a softmax.
    """
    return make_network


def make_network(
    *,
    before: Sequence[Step] = (),
    gain: float = 10.0,
    offset: Sequence[float] = (0.0, 0.0, 0.0),
    channels: Sequence[int] = (2, 1, 0),
    input_name: str = "input",
    layer_name: str = "dense",
    quantized: tuple[str, float, int] | None = None,
) -> bytes:
    """The bytes of a ``.tflite``.

    Args:
        before: operators with a constant before everything else.
        gain, offset: of the fully connected layer, whose outputs are blue, green and red.
        channels: which channel of the input each output looks at.
        quantized: type, scale and zero point of the input, which is dequantized at once.
    """
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    kinds, options = schema.BuiltinOperator, schema.BuiltinOptions
    tree, graph = schema.ModelT(), schema.SubGraphT()
    tree.version, tree.buffers = 3, [schema.BufferT()]
    graph.tensors, graph.operators, tree.operatorCodes = [], [], []
    types = {"float32": schema.TensorType.FLOAT32, "int32": schema.TensorType.INT32}
    types |= {"uint8": schema.TensorType.UINT8, "int8": schema.TensorType.INT8}

    def tensor(name: str, shape: list[int], content: Any = None, kind: str = "float32") -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type = name.encode(), shape, types[kind]
        if content is not None:
            buffer = schema.BufferT()
            values = np.asarray(content, kind)
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            tree.buffers.append(buffer)
            made.buffer = len(tree.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(name: str, inputs: list[int], output: int, settings: str | None = None) -> int:
        entry, made = schema.OperatorCodeT(), schema.OperatorT()
        entry.builtinCode = getattr(kinds, name)
        entry.deprecatedBuiltinCode = min(entry.builtinCode, 127)
        entry.version = 1
        tree.operatorCodes.append(entry)
        made.opcodeIndex = len(tree.operatorCodes) - 1
        made.inputs, made.outputs = inputs, [output]
        if settings:
            made.builtinOptionsType = getattr(options, settings)
            made.builtinOptions = getattr(schema, settings + "T")()
        graph.operators.append(made)
        return output

    image = [1, SIDE, SIDE, 3]
    source = current = tensor(input_name, image, kind=quantized[0] if quantized else "float32")
    if quantized:
        how = schema.QuantizationParametersT()
        how.scale, how.zeroPoint = [quantized[1]], [quantized[2]]
        graph.tensors[source].quantization = how
        current = operator("DEQUANTIZE", [source], tensor("real", image), "DequantizeOptions")
    for number, (name, constant) in enumerate(before):
        values = np.atleast_1d(np.asarray(constant, np.float32))
        held = tensor(f"constant{number}", list(values.shape), values)
        option = name.capitalize() + "Options"
        current = operator(name, [current, held], tensor(f"step{number}", image), option)
    axes = tensor("axes", [2], [1, 2], "int32")
    mean = operator("MEAN", [current, axes], tensor("mean", [1, 3]), "ReducerOptions")
    weights = tensor("weights", [3, 3], gain * np.eye(3)[list(channels)])
    bias = tensor("bias", [3], offset)
    logits = tensor(layer_name, [1, 3])
    operator("FULLY_CONNECTED", [mean, weights, bias], logits, "FullyConnectedOptions")
    scores = operator("SOFTMAX", [logits], tensor("scores", [1, 3]), "SoftmaxOptions")
    graph.operators[-1].builtinOptions.beta = 1.0
    graph.inputs, graph.outputs = [source], [scores]
    tree.subgraphs = [graph]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(tree))


@pytest.fixture
def colour_photos(tmp_path: Path) -> Path:
    """A folder per colour, 12 photos each, wider than high."""
    random = np.random.default_rng(3)
    for place, colour in enumerate(COLOURS):  # OpenCV's channels are blue, green and red
        folder = tmp_path / "photos" / colour
        folder.mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 200, (16, 28, 3)).astype(np.uint8)
            pixels[..., place] = np.clip(pixels[..., place] + 40.0, 0, 255)
            cv2.imwrite(str(folder / f"{number:02}.png"), pixels)
    return tmp_path / "photos"
