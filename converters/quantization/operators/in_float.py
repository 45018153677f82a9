"""Operators that no int8 kernel of the runtime computes: they stay in float, and are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from converters.quantization.operators.equivalent import with_equivalent_operators
from converters.quantization.operators.integer import INTEGER_KERNELS
from converters.quantization.recipes import QuantRecipe
from edge_effnet.errors import ModelError
from edge_effnet.tflite.reader import Structure, parse_structure

# What the quantizer computes in int8 (its policy ``static_wi8_ai8``), by the schema's names.
QUANTIZED = frozenset(
    "ADD AVERAGE_POOL_2D BATCH_MATMUL CONCATENATION FULLY_CONNECTED CONV_2D TRANSPOSE_CONV "
    "DEPTHWISE_CONV_2D GELU LOGISTIC MEAN MUL RESHAPE RSQRT SOFTMAX SPLIT STRIDED_SLICE SUB TANH "
    "TRANSPOSE SLICE SUM SELECT SELECT_V2 DYNAMIC_UPDATE_SLICE PAD SQUARED_DIFFERENCE MAX_POOL_2D "
    "RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR GATHER_ND PACK UNPACK DIV BROADCAST_TO SQRT GATHER "
    "HARD_SWISH MAXIMUM PADV2 REDUCE_MIN EQUAL NOT_EQUAL MIRROR_PAD SPACE_TO_DEPTH RELU".split()
)


def without_integer_kernel(model: bytes, structure: Structure) -> dict[str, str]:
    """The operators of a float model that cannot become integer.

    Returns:
        The operator's name by the name of the tensor it makes.
    """
    known = QUANTIZED | INTEGER_KERNELS.keys()
    if all(operator.name in known for operator in structure.operators):
        return {}
    structure = parse_structure(with_equivalent_operators(model, {})[0], "the float model")
    tensors = structure.tensors
    return {
        tensors[operator.outputs[0]].name: operator.name
        for operator in structure.operators
        if operator.name not in known
        and any(
            tensors[index].dtype == "float32"
            for index in (*operator.inputs, *operator.outputs)
            if index >= 0
        )
    }


def told_left_float(
    model: bytes,
    structure: Structure,
    name: str,
    recipes: Iterable[QuantRecipe],
    *,
    full_integer: bool = False,
) -> tuple[str, ...]:
    """What the user is told of operators that stay in float, before any work.

    Args:
        name: of the model.
        recipes: that it is converted with.
        full_integer: whether none may.

    Raises:
        ModelError: there are some, and none may: the Edge TPU computes nothing in float.
    """
    integer = [recipe for recipe in recipes if recipe.full_integer]
    left = without_integer_kernel(model, structure) if integer else {}
    if not left:
        return ()
    counted = ", ".join(f"{n} × {kind}" for kind, n in Counter(left.values()).most_common(5))
    if full_integer or any(recipe.edge_tpu for recipe in integer):
        raise ModelError(
            f"{name} cannot become full integer",
            found=f"{counted}, which TFLite has no int8 kernel for",
            expected="operators with int8 kernels only",
            fix="replace those layers, or choose --int8 "
            + ("without --full-integer" if full_integer else "instead")
            + ", which keeps them in float",
        )
    return (
        f"{counted} of {name} stay in float: TFLite has no int8 kernel for them, and converts "
        "before and behind",
    )
