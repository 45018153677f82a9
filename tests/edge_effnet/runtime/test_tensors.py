"""Real numbers to stored values and back, and what the runtime's own kernels make of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_effnet.errors import ModelError
from edge_effnet.runtime.tensors import TensorFormat, dequantize_out, quantize_in, tensor_format

DTYPES = ("uint8", "int8", "int16")


@st.composite
def formats(draw: st.DrawFn) -> TensorFormat:
    dtype = draw(st.sampled_from(DTYPES))
    limits = np.iinfo(dtype)
    # int16 is symmetric by the TFLite specification.
    zero_point = 0 if dtype == "int16" else draw(st.integers(limits.min, limits.max))
    scale = float(np.float32(draw(st.floats(1e-6, 1e3))))
    return TensorFormat((1, 8), dtype, scale, zero_point)


def real_range(form: TensorFormat) -> tuple[float, float]:
    """The smallest and the largest real number a quantized tensor can hold."""
    limits = np.iinfo(form.dtype)
    return dequantize(limits.min, form), dequantize(limits.max, form)


def dequantize(stored: int, form: TensorFormat) -> float:
    return (stored - form.zero_point) * form.scale


@given(formats(), arrays(np.float64, 8, elements=st.floats(0, 1)))
def test_a_round_trip_loses_at_most_half_a_step(form: TensorFormat, share: np.ndarray) -> None:
    low, high = real_range(form)
    real = low + share * (high - low)
    back = dequantize_out(quantize_in(real, form), form)
    rounding = 1e-6 * max(abs(low), abs(high))  # the result is float32
    assert (abs(back - real) <= form.scale / 2 + rounding).all()


@given(formats(), arrays(np.float64, 8, elements=st.floats(-1e6, 1e6)))
def test_what_does_not_fit_is_clipped(form: TensorFormat, real: np.ndarray) -> None:
    low, high = real_range(form)
    back = dequantize_out(quantize_in(real, form), form)
    nearest = np.clip(real, low, high)
    assert (abs(back - nearest) <= form.scale / 2 + 1e-6 * max(abs(low), abs(high))).all()


@given(formats())
def test_every_stored_value_survives(form: TensorFormat) -> None:
    limits = np.iinfo(form.dtype)
    stored = np.arange(limits.min, limits.max + 1, dtype=form.dtype)
    assert np.array_equal(quantize_in(dequantize_out(stored, form), form), stored)


def test_softmax_scores_do_not_overflow() -> None:
    """127 − (−128) is 255, and −1 in 8 bits."""
    form = TensorFormat((1, 3), "int8", 1 / 256, -128)
    scores = dequantize_out(np.array([-128, 0, 127], np.int8), form)
    assert scores.tolist() == [0, 0.5, 255 / 256]
    assert real_range(form) == (0, 255 / 256)


def test_an_integer_tensor_without_scale_takes_whole_numbers() -> None:
    form = TensorFormat((1, 4), "uint8")
    assert quantize_in(np.array([-3.0, 0.6, 254.4, 300.0]), form).tolist() == [0, 1, 254, 255]
    assert dequantize_out(np.array([0, 255], np.uint8), form).tolist() == [0, 255]


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point"),
    [("int8", 1.0, -128), ("int8", 0.25, 5), ("uint8", 0.0078125, 128), ("int8", 0.1, 0)],
)
def test_the_runtime_quantizes_alike(dtype: str, scale: float, zero_point: int) -> None:
    """Its QUANTIZE kernel on halves, on values out of range, and on others. (A half of a scale
    that is no power of two is none in float32.)"""
    form = TensorFormat((1, 700), dtype, float(np.float32(scale)), zero_point)
    steps = np.arange(-150, 150, 0.5) + (0.25 if scale == 0.1 else 0)
    others = np.random.default_rng(3).uniform(*real_range(form), 100)
    real = np.concatenate([steps * scale, others]).astype(np.float32)
    assert np.array_equal(quantize_in(real, form), _run_quantize(real, form))


def _run_quantize(real: np.ndarray, form: TensorFormat) -> np.ndarray:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_litert.tools import flatbuffer_utils

    types, graph = schema.TensorType, schema.SubGraphT()
    graph.tensors = []
    for name, kind in (("real", types.FLOAT32), ("stored", getattr(types, form.dtype.upper()))):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(form.shape), kind
        graph.tensors.append(tensor)
    quantization = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = [form.scale], [form.zero_point]
    graph.tensors[1].quantization = quantization
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    code.version = 1
    operator.inputs, operator.outputs = [0], [1]
    graph.operators, graph.inputs, graph.outputs = [operator], [0], [1]
    tree = schema.ModelT()
    tree.version, tree.buffers = 3, [schema.BufferT()]
    tree.operatorCodes, tree.subgraphs = [code], [graph]
    interpreter = Interpreter(
        model_content=bytes(flatbuffer_utils.convert_object_to_bytearray(tree))
    )
    interpreter.allocate_tensors()
    assert tensor_format(interpreter.get_output_details()[0]) == form
    interpreter.set_tensor(0, real[None])
    interpreter.invoke()
    return interpreter.get_tensor(1)[0]


def details(dtype: type, scales: list[float]) -> dict[str, Any]:
    points = np.zeros(len(scales), np.int32)
    parameters = {"scales": np.array(scales, np.float32), "zero_points": points}
    shape = np.array([1, 8, 8, 3], np.int32)
    return {"name": "x", "dtype": dtype, "shape": shape, "quantization_parameters": parameters}


def test_formats_no_classifier_has_are_refused() -> None:
    assert tensor_format(details(np.float32, [])) == TensorFormat((1, 8, 8, 3), "float32")
    with pytest.raises(ModelError, match="a type this toolkit does not feed; found int64"):
        tensor_format(details(np.int64, []))
    with pytest.raises(ModelError, match="quantized per channel"):
        tensor_format(details(np.int8, [0.1, 0.2, 0.3]))
