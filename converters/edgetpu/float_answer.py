"""The answer of a file whose last layer computes in float, behind all that is integer.

``convert --edgetpu --teachable`` makes such files: the compiler leaves float on the CPU, where the
last layer can be exchanged in the compiled file too.
"""

from __future__ import annotations

from edge_effnet.tflite.reader import Structure

LEFT = (
    "the answer, in float: stays on the CPU, where the last layer can be exchanged "
    "(--edgetpu without --teachable maps it)"
)
_INTEGERS = ("int8", "uint8")


def answer_operators(structure: Structure) -> frozenset[int]:
    """Indices of the operators from the step into float to the answer.

    Empty where the answer is integer, or where that step is all that is in float.
    """
    operators = structure.operators
    last = next(
        (
            place
            for place in reversed(range(len(operators)))
            if operators[place].name == "DEQUANTIZE"
            and structure.tensors[operators[place].inputs[0]].dtype in _INTEGERS
            and not structure.tensors[operators[place].inputs[0]].constant_bytes
        ),
        len(operators),
    )
    behind = operators[last:]
    layers = [operator for operator in behind if operator.name == "FULLY_CONNECTED"]
    return frozenset(operator.index for operator in behind) if len(layers) == 1 else frozenset()
