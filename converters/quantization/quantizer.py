"""Float ``.tflite`` + recipe + ranges -> quantized ``.tflite``, with LiteRT Quantizer.

No TensorFlow: the ``convert`` extra is enough.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from converters.quantization.answer.float_answer import FloatAnswer, store_answer_in_int8
from converters.quantization.candidates import Candidate, Context
from converters.quantization.operators.equivalent import with_equivalent_operators
from converters.quantization.operators.integer import use_integer_kernels
from converters.quantization.recipes import QuantRecipe
from converters.quantization.requantization import operations_of, settle_product_scales
from converters.quantization.stored_grid import keep_stored_grid
from edge_effnet.errors import MissingExtra, ModelError
from edge_effnet.system.native_log import native_output_hidden
from edge_effnet.tflite.editor import Interface, normalize_layout, set_interface
from edge_effnet.tflite.reader import Structure, parse_structure

_DEAD = 1e-6
_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def apply(candidate: Candidate, context: Context) -> Candidate:
    """Step: the float model is quantized with the candidate's ranges."""
    model = quantize(
        context.model,
        candidate.recipe,
        candidate.ranges,
        context.interface,
        left_float=candidate.left_float,
        float_answer=candidate.float_answer,
    )
    return replace(candidate, model=model)


def quantize(
    model: bytes,
    recipe: QuantRecipe,
    ranges: Mapping[str, tuple[float, float]],
    interface: Interface,
    *,
    left_float: Collection[str] = (),
    float_answer: FloatAnswer | None = None,
) -> bytes:
    """Apply a recipe to a float model.

    Args:
        ranges: of every activation tensor; only calibrated recipes use them.
        interface: type of the input of a full-integer file, and of its output where that is not
            computed in float; every other recipe gets float32.
        left_float: tensors whose operators compute in float, with float weights.
        float_answer: those of them that make the answer; its weights are stored in int8.

    Raises:
        ModelError: the quantizer refuses the model, or a full-integer result has a float
            operator left.
        MissingExtra: LiteRT Quantizer is not installed.
    """
    try:
        from litert_quantizer import quantizer
    except ImportError as error:
        raise MissingExtra("litert-quantizer", "convert", "quantizing a model") from error
    if recipe.full_integer:
        model, ranges = with_equivalent_operators(model, ranges, edge_tpu=recipe.edge_tpu)
        ranges = settle_product_scales(
            operations_of(parse_structure(model, "the float model")), ranges
        )
    ranges = {name: _not_empty(limits) for name, limits in ranges.items()}
    extremes = {
        name: {"min": _scalar(low), "max": _scalar(high)} for name, (low, high) in ranges.items()
    }
    with _silent():
        try:
            worker = quantizer.Quantizer(
                bytearray(model), [*_library_recipe(recipe), *_left_float(recipe, left_float)]
            )
            result = worker.quantize(
                extremes if recipe.calibrated else None,
                enable_progress_bar=False,
                enable_progress_report=False,
            )
        except (ValueError, RuntimeError, KeyError, NotImplementedError) as error:
            raise ModelError(
                f"the model cannot be quantized to {recipe.name}",
                found=" ".join(str(error).split())[:300],
                fix="export it again with built-in float operators and a fixed batch of 1",
            ) from error
    quantized = bytes(result.quantized_model)
    _refuse_unchanged(quantized, recipe)
    if not recipe.full_integer:
        calibrated = recipe.calibrated
        return set_interface(quantized, "float32") if calibrated else normalize_layout(quantized)
    quantized = use_integer_kernels(quantized, ranges, left_float)
    refuse_float_operators(parse_structure(quantized, "the quantized model"), left_float)
    quantized = keep_stored_grid(model, set_interface(quantized, interface))
    return store_answer_in_int8(quantized, float_answer) if float_answer else quantized


def _not_empty(limits: tuple[float, float]) -> tuple[float, float]:
    """The range of a tensor that is 0 on every image becomes 0 to 1: the delegate refuses the file
    for a scale next to 0, and what another image makes of it is of that order."""
    return (0.0, 1.0) if max(map(abs, limits)) < _DEAD else limits


def _scalar(value: float) -> Any:
    return np.full((1, 1, 1, 1), value, np.float32)


def _library_recipe(recipe: QuantRecipe) -> Any:
    """Our row in the quantizer's words."""
    from litert_quantizer import recipe as library

    table = {
        ("int8", "int8", "integer"): library.static_wi8_ai8,
        ("int8", "int16", "integer"): library.static_wi8_ai16,
        ("int8", "float32", "integer"): library.dynamic_wi8_afp32,
        ("int8", "float32", "float"): library.weight_only_wi8_afp32,
        ("float16", "float32", "float"): _float16_recipe,
    }
    rows = table[recipe.weights, recipe.activations, recipe.compute]()
    return [*rows, *_dense_per_tensor(rows)] if recipe.dense_scales == "tensor" else rows


def _left_float(recipe: QuantRecipe, tensors: Collection[str]) -> list[Any]:
    """A row that takes the makers of these tensors out of those before it."""
    if not tensors:
        return []
    from litert_quantizer import algorithm_manager

    names = "|".join(map(re.escape, sorted(tensors)))
    return [
        {
            **_library_recipe(recipe)[0],
            "regex": f"^({names});?$",  # an operator is named after what it makes
            "algorithm_key": algorithm_manager.AlgorithmName.NO_QUANTIZE,
        }
    ]


def _dense_per_tensor(rows: Any) -> list[Any]:
    """A row more, which wins over those before it: one scale for a fully connected layer."""
    from litert_quantizer import qtyping

    (everything,) = rows
    config = everything["op_config"]
    weights = {
        **config["weight_tensor_config"],
        "granularity": qtyping.QuantGranularity.TENSORWISE,
    }
    return [
        {
            **everything,
            "operation": qtyping.TFLOperationName.FULLY_CONNECTED,
            "op_config": {**config, "weight_tensor_config": weights},
        }
    ]


def _float16_recipe() -> Any:
    from litert_quantizer import algorithm_manager, qtyping, recipe_manager

    manager = recipe_manager.RecipeManager()
    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=16, dtype=qtyping.TensorDataType.FLOAT
        ),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    names = qtyping.TFLOperationName
    for operation in (names.CONV_2D, names.DEPTHWISE_CONV_2D, names.FULLY_CONNECTED):
        manager.add_quantization_config(
            ".*", operation, config, algorithm_manager.AlgorithmName.FLOAT_CASTING
        )
    return manager.get_quantization_recipe()


def _refuse_unchanged(quantized: bytes, recipe: QuantRecipe) -> None:
    """A file that is the float model under another name is worse than none.

    Raises:
        ModelError: no weight is stored as the recipe says.
    """
    structure = parse_structure(quantized, "the quantized model")
    if not any(t.dtype == recipe.weights and t.constant_bytes for t in structure.tensors):
        raise ModelError(
            f"nothing in the model can be quantized to {recipe.name}",
            found="no " + ", ".join(_LAYERS) + " with weights of its own",
            expected="convolutions or dense layers",
            fix="keep the float file",
        )


def operator_types(structure: Structure, left_float: Collection[str] = ()) -> Counter[str]:
    """How many operators of each kind touch a float activation or weight: empty when full
    integer.

    Args:
        left_float: tensors whose makers do not count, nor what converts for them.
    """
    return Counter(
        operator.name
        for operator in structure.operators
        if any(
            structure.tensors[index].dtype.startswith("float")
            for index in (*operator.inputs, *operator.outputs)
            if index >= 0
        )
        and not (left_float and operator.name in {"QUANTIZE", "DEQUANTIZE"})
        and structure.tensors[operator.outputs[0]].name not in left_float
    )


def refuse_float_operators(structure: Structure, left_float: Collection[str] = ()) -> None:
    """Prove from the file's own operators that it is full integer.

    Raises:
        ModelError: names the operators that still work on floats and were not asked to.
    """
    left = operator_types(structure, left_float)
    if left:
        raise ModelError(
            "the int8 model still computes in float",
            found=", ".join(f"{count} × {name}" for name, count in left.most_common(5)),
            expected="integer operators only",
            fix="replace those layers, or choose --weights8, which keeps float compute",
        )


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """The quantizer reports to stdout, stderr, warnings and the root logger; the user gets our
    lines."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
            native_output_hidden(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
