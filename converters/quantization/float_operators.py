"""Operators that no int8 kernel of the runtime computes: they stay in float, and are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from converters.quantization.equivalent_operators import with_equivalent_operators
from converters.quantization.integer_operators import INTEGER_KERNELS
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
    rewritten = with_equivalent_operators(model, structure)
    if rewritten is not model:
        structure = parse_structure(rewritten, "the float model")
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


def counted(kinds: Iterable[str]) -> str:
    """Such as "2 x POW, 1 x SIN"."""
    return ", ".join(f"{count} × {name}" for name, count in Counter(kinds).most_common(5))


def kept_float_line(left: Mapping[str, str], name: str) -> str:
    """What the user is told of operators that stay in float."""
    return (
        f"{counted(left.values())} of {name} {'has' if len(left) == 1 else 'have'} no int8 kernel "
        "in TFLite: computed in float, with a conversion before and behind"
    )
