"""The int8 file as Frigate reads it: bytes in, bytes out, and nothing beside the answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from converters.quantization.pixel_codes import PixelInput
from edge_effnet.errors import ModelError
from edge_effnet.image.preprocess_text import preprocess_text
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.runtime.input_pixels.input_tensor import input_format, keeps_pixels
from edge_effnet.tflite.editor import operator_code, pack_tree, read_tree
from edge_effnet.tflite.reader import parse_structure

# Of probabilities, by the runtime's own rule for an 8-bit softmax.
_SCALE = 1 / 256
_MOST_MOVED = 1.0  # in pixel values: a mean of 127.5 lies between two codes


def with_bytes(model: bytes, settings: Preprocess) -> PixelInput:
    """A quantized model whose input are pixels and whose answer are bytes.

    A softmax that computes in float is stored in 256 levels behind it, which loses less than one
    that computes in them.

    Args:
        model: with a uint8 input.
        settings: how pixels become it.

    Returns:
        The model, and the mean and deviation that the scale of its input stands for.

    Raises:
        ModelError: pixels as they are would be something else to it.
    """
    form = input_format(parse_structure(model, "the quantized model"))
    mean, std = float(form.zero_point), float(f"{1 / form.scale:.6g}")
    fed = replace(settings, mean=(mean,), std=(std,))
    ends = np.array([0.0, 255.0])
    moved = (ends - settings.mean[0]) / settings.std[0] * std + mean - ends
    if not keeps_pixels(fed, form) or np.abs(moved).max() > _MOST_MOVED:
        raise ModelError(
            "the int8 file would not take pixels as they are",
            found=f"--preprocess {preprocess_text(settings)}, and an input of {form.dtype} with "
            f"scale {form.scale:.4g} and zero point {form.zero_point}",
            expected="a code for each pixel value, in order",
            fix="put the normalization into the network where it is trained",
        )
    return PixelInput(_with_byte_answer(model), fed)


def _with_byte_answer(model: bytes) -> bytes:
    schema, tree = read_tree(model)
    graph = tree.subgraphs[0]
    (inner,) = map(int, graph.outputs)
    answer, types = graph.tensors[inner], schema.TensorType
    if answer.type != types.FLOAT32:
        return model
    outer = schema.TensorT()
    outer.shape, outer.shapeSignature, outer.buffer = answer.shape, answer.shapeSignature, 0
    outer.name, answer.name = answer.name, answer.name + b"_in_float"
    outer.type, outer.quantization = types.UINT8, schema.QuantizationParametersT()
    outer.quantization.scale = np.array([_SCALE], np.float32)
    outer.quantization.zeroPoint = np.zeros(1, np.int64)
    graph.tensors.append(outer)
    place = len(graph.tensors) - 1
    operator = schema.OperatorT()
    operator.opcodeIndex = operator_code(schema, tree, schema.BuiltinOperator.QUANTIZE)
    operator.inputs, operator.outputs = np.array([inner], np.int32), np.array([place], np.int32)
    graph.operators = [*graph.operators, operator]
    graph.outputs = np.array([place], np.int32)
    for signature in tree.signatureDefs or []:
        for entry in signature.outputs or []:
            entry.tensorIndex = place if entry.tensorIndex == inner else entry.tensorIndex
    return pack_tree(tree)
