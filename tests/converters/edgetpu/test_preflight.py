"""The Edge TPU preflight: the cut of the graph, single rules, and true outcomes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from converters.edgetpu.preflight import Preflight, preflight, preflight_file, supported_pieces
from edge_effnet.errors import ModelError
from edge_effnet.tflite.reader import Operator, Structure
from tests.converters.conftest import TinyModel


def graph(*wires: tuple[tuple[int, ...], int]) -> Structure:
    """Operators by (inputs, output) tensors; tensors without a maker are given."""
    operators = tuple(
        Operator(index, "ADD", 1, inputs, (output,)) for index, (inputs, output) in enumerate(wires)
    )
    return Structure(operators, (), (), (), {})


def test_supported_operators_before_and_after_one_that_is_not() -> None:
    chain = graph(((0,), 1), ((1,), 2), ((2,), 3), ((3,), 4))
    assert supported_pieces(chain, {0, 1, 3}) == [[0, 1], [3]]
    assert supported_pieces(chain, {1, 2, 3}) == [[1, 2, 3]]
    assert supported_pieces(chain, set()) == []


def test_branches_that_do_not_need_the_refused_operator_are_taken() -> None:
    # 0 feeds two branches; 1 is refused, 2 and 3 are not, 4 joins both.
    forked = graph(((0,), 1), ((1,), 2), ((1,), 3), ((3,), 4), ((2, 4), 5))
    assert supported_pieces(forked, {0, 2, 3, 4}) == [[0, 2, 3], [4]]


def left_on_cpu(found: Preflight) -> Counter[str]:
    return Counter(entry.op for entry in found.ops if not entry.mapped)


def truth(folder: Path) -> dict[str, dict[str, int]]:
    loaded: dict[str, dict[str, int]] = json.loads((folder / "mapping.json").read_text())
    return loaded


@pytest.fixture
def outcomes(reference: Path) -> list[Path]:
    return sorted(path.parent for path in (reference / "edgetpu").glob("*/mapping.json"))


def test_every_network_with_known_outcome_is_right(outcomes: list[Path]) -> None:
    assert len(outcomes) >= 19
    ours, theirs = {}, {}
    for folder in outcomes:
        found = preflight_file(folder / "model.tflite")
        true = truth(folder)
        ours[folder.name] = (found.subgraphs, left_on_cpu(found))
        theirs[folder.name] = (true["edgetpu_subgraphs"], Counter(true["left_on_cpu"]))
    assert ours == theirs


def test_a_compiled_file_is_recognized(reference: Path) -> None:
    found = preflight_file(
        reference / "edgetpu/mobilenet_v1_0.25_128_quant/compiled_edgetpu.tflite"
    )
    assert found.mapped == 1
    assert "compiled already" in found.warnings[0]


def test_every_outcome_has_a_reason(outcomes: list[Path]) -> None:
    for folder in outcomes:
        found = preflight_file(folder / "model.tflite").to_json()
        assert [entry["index"] for entry in found["ops"]] == list(range(len(found["ops"])))
        assert all(entry["reason"] for entry in found["ops"])
        assert all((entry["code"] == "mapped") == entry["mapped"] for entry in found["ops"])
        assert found["mapped"] + found["on_cpu"] == len(found["ops"])
        assert found["fits_on_chip"]


def test_a_float_network_does_not_map_and_says_what_to_do(tiny: TinyModel) -> None:
    found = preflight(tiny.model, "tiny")
    assert found.mapped == 0
    assert found.subgraphs == 0
    assert found.changes[0].startswith("convert to full integers")
    assert {entry.code for entry in found.ops} == {"float"}


def test_a_network_with_squeeze_and_excite_is_called_unproven(tiny: TinyModel) -> None:
    from converters.quantization.quantizer import quantize
    from converters.quantization.recipes import RECIPES

    int8 = quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    found = preflight(int8, "tiny")
    assert found.mapped > 0.9 * len(found.ops)
    assert any("unproven" in line for line in found.warnings)
    full = next(entry for entry in found.ops if entry.op == "FULLY_CONNECTED")
    assert full.mapped  # with a scale for each channel, as true outcomes have it


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(b"\x10\0\0\0TFL3" + bytes(40))
    with pytest.raises(ModelError):
        preflight_file(path)
    with pytest.raises(ModelError, match="cannot be read"):
        preflight_file(tmp_path / "missing")
