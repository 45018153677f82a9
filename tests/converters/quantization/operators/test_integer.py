"""Operators that the quantizer does not know compute in int8 all the same, or stay in float."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from converters.quantization.operators.in_float import (
    QUANTIZED,
    told_left_float,
    without_integer_kernel,
)
from converters.quantization.operators.integer import INTEGER_KERNELS
from converters.quantization.quantizer import operator_types, quantize
from converters.quantization.recipes import RECIPES
from edge_effnet.errors import ModelError
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.tflite.reader import parse_structure
from tests.converters.network_builder import NetworkBuilder

SIDE, WIDTH = 8, 4
SHAPE = (1, SIDE, SIDE, WIDTH)
POOLED = (1, 1, 1, WIDTH)
ALPHA = np.array([0.1, 0.3, -0.2, 0.5], np.float32)


def _int(*values: Any) -> NDArray[np.int32]:
    return np.array(values, np.int32)


def model(
    kinds: str,
    *constants: NDArray[Any],
    shape: tuple[int, ...] = SHAPE,
    options: str = "",
    **settings: Any,
) -> bytes:
    """A 1×1 convolution, the operators one after the other, and their mean; MEAN is quantized."""
    builder = NetworkBuilder()
    random = np.random.default_rng(1)
    source = builder.tensor("image", (1, SIDE, SIDE, 3))
    kernel = random.normal(0, 1, (WIDTH, 1, 1, 3)).astype(np.float32)
    last = builder.tensor("features", SHAPE)
    weights = [
        builder.tensor("kernel", kernel.shape, kernel),
        builder.tensor("bias", (WIDTH,), random.normal(0, 1, WIDTH).astype(np.float32)),
    ]
    builder.operator("CONV_2D", [source, *weights], last, options="Conv2DOptions",
                     strideW=1, strideH=1)  # fmt: skip
    for kind in kinds.split():
        made = builder.tensor(f"made by {kind}", shape)
        more = [builder.tensor(f"{kind}/{i}", v.shape, v) for i, v in enumerate(constants)]
        builder.operator(kind, [last, *more], made, options, **settings)
        last = made
    axes = builder.tensor("axes", (2,), _int(1, 2))
    mean = builder.tensor("mean", (1, WIDTH))
    builder.operator("MEAN", [last, axes], mean, options="ReducerOptions")
    return builder.pack(source, [mean])


def images() -> list[NDArray[np.float32]]:
    random = np.random.default_rng(2)
    return [random.uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32) for _ in range(8)]


def values(model: bytes, name: str) -> NDArray[np.float32]:
    """What a tensor holds for each image, in real units."""
    structure = parse_structure(model, "a model")
    index = next(i for i, tensor in enumerate(structure.tensors) if tensor.name == name)
    tensor, source = structure.tensors[index], structure.tensors[structure.inputs[0]]
    interpreter = open_bytes(model, preserve=True, xnnpack=False)
    found = []
    for pixels in images():
        if source.scales:
            pixels = np.clip(np.rint(pixels / source.scales[0]) + source.zero_points[0], -128, 127)
            pixels = pixels.astype(np.int8)
        interpreter.set_tensor(structure.inputs[0], pixels)
        interpreter.invoke()
        stored = interpreter.get_tensor(index).astype(np.float32)
        found.append(
            (stored - tensor.zero_points[0]) * tensor.scales[0] if tensor.scales else stored
        )
    return np.concatenate(found)


def ranges(model: bytes) -> dict[str, tuple[float, float]]:
    structure = parse_structure(model, "a model")
    names = [t.name for t in structure.tensors if t.dtype == "float32" and not t.constant_bytes]
    return {n: (float(values(model, n).min()), float(values(model, n).max())) for n in names}


CASES: dict[str, tuple[Any, ...]] = {
    "LEAKY_RELU": ((), {"options": "LeakyReluOptions", "alpha": 0.1}),
    "PRELU": ((ALPHA.reshape(1, 1, WIDTH),), {}),
    "ELU": ((), {}),
    "ABS": ((), {"options": "AbsOptions"}),
    "EXP": ((), {"options": "ExpOptions"}),
    "RELU": ((), {}),
    "HARD_SWISH": ((), {}),
    "RELU6": ((), {}),
    "MINIMUM": ((np.full((1,), 0.5, np.float32),), {"options": "MaximumMinimumOptions"}),
    "REDUCE_MAX": ((_int(1, 2),), {"shape": POOLED, "options": "ReducerOptions", "keepDims": True}),
    "L2_NORMALIZATION": ((), {"options": "L2NormOptions"}),
    "NEG": ((), {"options": "NegOptions"}),
    "SQUARE": ((), {"options": "SquareOptions"}),
    "DIV": ((np.full((1,), 3.0, np.float32),), {"options": "DivOptions"}),
    "POW": ((np.full((), 2.0, np.float32),), {"options": "PowOptions"}),
}


@pytest.mark.parametrize("kind", CASES)
def test_it_becomes_integer_and_computes_the_same(kind: str) -> None:
    constants, settings = CASES[kind]
    float_model = model(kind, *constants, **settings)
    known = ranges(float_model)
    small = quantize(float_model, RECIPES["int8"], known, "int8")
    structure = parse_structure(small, kind)
    assert not operator_types(structure)
    assert "DEQUANTIZE" not in {operator.name for operator in structure.operators}
    expected, found = (values(m, f"made by {kind}") for m in (float_model, small))
    signal = float(np.abs(expected - expected.mean()).mean())
    assert np.abs(expected - found).mean() < 0.02 * signal


def test_one_after_the_other_needs_no_conversion_between() -> None:
    two = model("ELU EXP")
    structure = parse_structure(quantize(two, RECIPES["int8"], ranges(two), "int8"), "two")
    assert [operator.name for operator in structure.operators] == ["CONV_2D", "ELU", "EXP", "MEAN"]


def test_a_requantization_stands_where_scales_differ() -> None:
    pooled = model("REDUCE_MAX", _int(1, 2), shape=POOLED, options="ReducerOptions", keepDims=True)
    known = ranges(pooled)
    known["made by REDUCE_MAX"] = (0.0, 2 * known["features"][1])
    structure = parse_structure(quantize(pooled, RECIPES["int8"], known, "int8"), "pooled")
    assert [op.name for op in structure.operators] == ["CONV_2D", "REDUCE_MAX", "QUANTIZE", "MEAN"]
    assert not operator_types(structure)


def test_what_has_no_kernel_stays_float_between_conversions() -> None:
    sine = model("SIN")
    structure = parse_structure(sine, "sine")
    left = without_integer_kernel(sine, structure)
    assert left == {"made by SIN": "SIN"}
    small = quantize(sine, RECIPES["int8"], ranges(sine), "int8", left_float=left)
    names = [operator.name for operator in parse_structure(small, "sine").operators]
    assert names == ["CONV_2D", "DEQUANTIZE", "SIN", "QUANTIZE", "MEAN"]


def test_behind_one_that_stays_float_integers_go_on() -> None:
    both = model("SIN ELU")
    left = without_integer_kernel(both, parse_structure(both, "both"))
    small = quantize(both, RECIPES["int8"], ranges(both), "int8", left_float=left)
    names = [operator.name for operator in parse_structure(small, "both").operators]
    assert names == ["CONV_2D", "DEQUANTIZE", "SIN", "QUANTIZE", "ELU", "MEAN"]


def test_an_operator_on_integers_stays_as_it_is() -> None:
    builder = NetworkBuilder()
    source = builder.tensor("image", (1, SIDE, SIDE, 3))
    kernel = np.random.default_rng(1).normal(0, 1, (WIDTH, 1, 1, 3)).astype(np.float32)
    weights = [builder.tensor("kernel", kernel.shape, kernel)]
    weights.append(builder.tensor("bias", (WIDTH,), np.zeros(WIDTH, np.float32)))
    features, back = builder.tensor("features", SHAPE), builder.tensor("back", SHAPE)
    whole, least = (builder.tensor(n, SHAPE, dtype="int32") for n in ("whole", "least"))
    builder.operator("CONV_2D", [source, *weights], features, options="Conv2DOptions",
                     strideW=1, strideH=1)  # fmt: skip
    builder.operator("CAST", [features], whole)
    builder.operator("MINIMUM", [whole, builder.tensor("one", (1,), _int(1))], least,
                     options="MaximumMinimumOptions")  # fmt: skip
    builder.operator("CAST", [least], back)
    counted = builder.pack(source, [back])
    left = without_integer_kernel(counted, parse_structure(counted, "counted"))
    small = quantize(counted, RECIPES["int8"], ranges(counted), "int8", left_float=left)
    structure = parse_structure(small, "counted")
    (minimum,) = (op for op in structure.operators if op.name == "MINIMUM")
    assert structure.tensors[minimum.outputs[0]].dtype == "int32"


def test_without_leave_a_float_operator_is_refused() -> None:
    sine = model("SIN")
    with pytest.raises(ModelError, match="1 × SIN"):
        quantize(sine, RECIPES["int8"], ranges(sine), "int8")


def test_the_user_is_told_what_stays_float() -> None:
    sine = model("SIN COS")
    structure = parse_structure(sine, "sine")
    (line,) = told_left_float(sine, structure, "net", [RECIPES["int8"]])
    assert "1 × SIN, 1 × COS of net stay in float" in line
    assert told_left_float(sine, structure, "net", [RECIPES["weights8"]]) == ()


def test_the_edge_tpu_takes_none_of_it() -> None:
    sine = model("SIN")
    with pytest.raises(ModelError, match="net cannot become full integer"):
        told_left_float(sine, parse_structure(sine, "sine"), "net", [RECIPES["edgetpu"]])


def test_a_tensor_that_is_always_0_leaves_the_file_to_the_delegate() -> None:
    plain = model("ELU")
    known = {**ranges(plain), "features": (0.0, 0.0)}
    small = quantize(plain, RECIPES["int8"], known, "int8")
    open_bytes(small, xnnpack=True).invoke()
    tensors = parse_structure(small, "plain").tensors
    (scale,) = next(tensor.scales for tensor in tensors if tensor.name == "features")
    assert scale == pytest.approx(1 / 255)


def test_a_file_in_which_nothing_is_quantized_is_refused() -> None:
    builder = NetworkBuilder()
    source = builder.tensor("image", (1, SIDE, SIDE, 3))
    mean = builder.tensor("mean", (1, 3))
    axes = builder.tensor("axes", (2,), _int(1, 2))
    builder.operator("MEAN", [source, axes], mean, options="ReducerOptions")
    with pytest.raises(ModelError, match="nothing in the model can be quantized to weights8"):
        quantize(builder.pack(source, [mean]), RECIPES["weights8"], {}, "uint8")


def test_the_table_is_the_quantizers_policy() -> None:
    import json

    from litert_quantizer.default_policy import DEFAULT_JSON_POLICY

    policy = set(json.loads(DEFAULT_JSON_POLICY)["ops_per_config"]["static_wi8_ai8"])
    renamed = {"CONV_2D_TRANSPOSE": "TRANSPOSE_CONV"}
    ours = {renamed.get(name, name) for name in policy - {"INPUT", "OUTPUT", "STABLEHLO_COMPOSITE"}}
    assert ours == QUANTIZED
    assert not QUANTIZED & INTEGER_KERNELS.keys()
