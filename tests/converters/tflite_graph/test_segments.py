"""Stretches of a network that hang together by one tensor."""

from itertools import pairwise

from converters.tflite_graph.segments import segments
from tests.converters.conftest import TinyModel


def test_segments_hang_together_by_one_tensor(tiny: TinyModel) -> None:
    structure = tiny.structure
    swishes = {
        (op.inputs[0], op.outputs[0])
        for op in structure.operators
        if op.name == "MUL" and len({*op.inputs}) == 2
        for gate in structure.operators
        if gate.name == "LOGISTIC"
        and gate.inputs[0] == op.inputs[0]
        and gate.outputs[0] in op.inputs
    }
    assert swishes
    found = list(segments(structure, sorted(swishes)))
    assert [index for part in found for index in part.operators] == [
        operator.index for operator in structure.operators
    ]
    assert len(found) > 3
    for before, after in pairwise(found):
        made = {
            index
            for place in after.operators
            for index in structure.operators[place].inputs
            if index >= 0 and not structure.tensors[index].constant_bytes
        }
        assert made - after.inside == {before.end}
    for first, second in swishes:
        assert any({first, second} <= part.inside for part in found)
