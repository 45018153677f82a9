"""What is left to the runtime's own kernels is slow only where it costs something."""

from __future__ import annotations

from edge_effnet.measure.delegation import Delegation
from edge_effnet.measure.model_diagnosis import delegation_finding
from edge_effnet.tflite.reader import Operator, Structure, Tensor


def network(**sizes: int) -> Structure:
    """One operator of each name, with so many values in its output."""
    tensors = tuple(Tensor("", (1, size), "int8", (), (), 0, 0) for size in sizes.values())
    operators = tuple(
        Operator(index, name, 1, (index,), (index,)) for index, name in enumerate(sizes)
    )
    return Structure(operators, tensors, (0,), (0,), {})


NETWORK = network(CONV_2D=90_000, LEAKY_RELU=90_000, SOFTMAX=10, GATHER_ND=100, QUANTIZE=99_000)


def test_a_softmax_and_a_quantize_are_not_slow() -> None:
    taken = Delegation(5, 2, 1, (("QUANTIZE", 1), ("SOFTMAX", 1), ("GATHER_ND", 1)))
    found = delegation_finding(taken, None, NETWORK, "edge-effnet convert")
    assert (found.code, found.slow, found.fix) == ("delegated", False, None)
    assert "the rest costs nothing (1 × QUANTIZE, 1 × SOFTMAX, 1 × GATHER_ND)" in found.what


def test_an_operator_on_every_value_is_slow_and_named() -> None:
    taken = Delegation(5, 3, 2, (("LEAKY_RELU", 1), ("SOFTMAX", 1)))
    found = delegation_finding(taken, None, NETWORK, "edge-effnet convert --model m.tflite")
    assert (found.code, found.slow) == ("fallbacks", True)
    assert found.what.startswith("1 × LEAKY_RELU left to the runtime's own, slower kernels")
    assert found.fix == "edge-effnet convert --model m.tflite"


def test_many_pieces_are_slow_whatever_lies_between() -> None:
    taken = Delegation(20, 15, 6, (("GATHER_ND", 5),))
    assert delegation_finding(taken, None, NETWORK, None).slow
