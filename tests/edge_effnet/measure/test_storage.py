"""How a file keeps its numbers, where all layers do alike and where they do not."""

from __future__ import annotations

import pytest

from edge_effnet.measure.model_diagnosis import storage_finding
from edge_effnet.measure.storage import integer_layers, storage_of, stored_text
from edge_effnet.tflite.reader import Operator, Structure, Tensor


def tensor(dtype: str, size: int = 0) -> Tensor:
    return Tensor("", (1, 9), dtype, (), (), 0, size)


@pytest.mark.parametrize(
    ("activation", "weight", "constant", "expected"),
    [
        ("float32", "float32", "float32", "float32"),
        ("float32", "float32", "float16", "float16"),
        ("float32", "float32", "int8", "weights8"),
        ("float32", "int8", "int8", "dynamic"),
        ("int16", "int8", "int8", "int16x8"),
        ("uint8", "uint8", "uint8", "int8"),
    ],
)
def test_storage_is_told_from_tensors(
    activation: str, weight: str, constant: str, expected: str
) -> None:
    tensors = (tensor(activation), tensor(weight), tensor(constant, 999))
    conv = Operator(0, "CONV_2D", 1, (0, 1), (0,))
    assert storage_of(Structure((conv,), tensors, (0,), (0,), {})) == expected


def layers(*, integer: int, real: int) -> Structure:
    tensors = (tensor("float32"), tensor("float32", 999), tensor("int8"), tensor("int8", 999))
    names = ["CONV_2D"] * real + ["FULLY_CONNECTED"] * integer
    operators = tuple(
        Operator(place, name, 1, (0, 1) if name == "CONV_2D" else (2, 3), (0,))
        for place, name in enumerate(names)
    )
    return Structure(operators, tensors, (0,), (0,), {})


@pytest.mark.parametrize(("integer", "real", "slow"), [(1, 40, True), (38, 3, False)])
def test_a_file_of_both_kinds_is_int8_in_part(integer: int, real: int, slow: bool) -> None:
    structure = layers(integer=integer, real=real)
    assert storage_of(structure) == "int8-part"
    assert stored_text(structure) == f"int8 in part ({integer} of 41 layers)"
    found = storage_finding(structure, "edge-effnet convert")
    assert (found.code, found.slow) == ("integer-in-part", slow)
    assert found.what.startswith(f"int8 in part ({integer} of 41 layers): the others are computed")
    assert found.fix == ("edge-effnet convert" if slow else None)


@pytest.mark.parametrize(
    ("weights", "expected"), [("int8", "int8-answer"), ("float32", "int8-part")]
)
def test_an_answer_in_float_is_no_slow_part(weights: str, expected: str) -> None:
    tensors = (tensor("int8"), tensor("int8", 999), tensor("float32"), tensor(weights, 999))
    convolution = Operator(0, "CONV_2D", 1, (0, 1), (0,))
    dense = Operator(1, "FULLY_CONNECTED", 3, (2, 3), (2,))
    structure = Structure((convolution, dense), tensors, (0,), (2,), {})
    assert storage_of(structure) == expected
    assert not storage_finding(structure, "edge-effnet convert").slow


def test_the_activations_of_a_transposed_convolution_are_its_third_input() -> None:
    tensors = (tensor("int32", 16), tensor("int8", 999), tensor("int8"))
    operator = Operator(0, "TRANSPOSE_CONV", 3, (0, 1, 2), (2,))
    structure = Structure((operator,), tensors, (2,), (2,), {})
    assert (storage_of(structure), integer_layers(structure)) == ("int8", (1, 1))
