"""``--edgetpu --teachable``: the last layer stays out of what the compiler would take."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from converters.accuracy.strategies import applicable_strategies, default_strategy
from converters.edgetpu.float_answer import LEFT
from converters.edgetpu.preflight import preflight
from converters.quantization.candidates import Context
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.unused import drop_unused
from edge_effnet.artifact import read_artifact
from edge_effnet.runtime.edgetpu import OPERATOR, PACKAGE
from edge_effnet.tflite.editor import pack_tree, read_tree
from edge_effnet.tflite.reader import parse_structure
from tests.conftest import Cli
from tests.converters.conftest import CLASSES, TinyModel

ANSWER = ["DEQUANTIZE", "MEAN", "FULLY_CONNECTED", "MUL", "SOFTMAX"]


def context_of(tiny: TinyModel) -> Context:
    return Context(tiny.model, tiny.structure, tiny.calibration, "uint8", workers=2, teachable=True)


@pytest.fixture(scope="module")
def made(tiny: TinyModel) -> bytes:
    return default_strategy(RECIPES["edgetpu"]).make(context_of(tiny)).model


def test_the_compiler_takes_all_but_the_answer(made: bytes) -> None:
    foreseen = preflight(made, "tiny")
    left = [op for op in foreseen.ops if not op.mapped]
    assert [op.op for op in left] == ANSWER
    assert {(op.code, op.reason) for op in left} == {("answer", LEFT)}
    assert foreseen.subgraphs == 1
    assert foreseen.mapped == len(foreseen.ops) - len(ANSWER)
    assert foreseen.changes == ()  # as asked: there is nothing to mend


def test_the_weights_of_the_last_layer_cross_no_bus(made: bytes, tiny: TinyModel) -> None:
    whole = default_strategy(RECIPES["edgetpu"]).make(replace(context_of(tiny), teachable=False))
    structure = parse_structure(made, "tiny")
    layer = next(op for op in structure.operators if op.name == "FULLY_CONNECTED")
    stored = sum(structure.tensors[index].constant_bytes for index in layer.inputs[1:])
    saved = preflight(whole.model, "whole").weight_bytes - preflight(made, "tiny").weight_bytes
    assert saved >= stored - 8 * CLASSES  # the steps and the axes of the pooling aside


def test_an_integer_answer_is_no_such_answer(tiny: TinyModel) -> None:
    whole = default_strategy(RECIPES["edgetpu"]).make(replace(context_of(tiny), teachable=False))
    assert {op.code for op in preflight(whole.model, "whole").ops} == {"mapped"}


def test_so_is_it_seen_in_the_compiled_file(made: bytes) -> None:
    """As the compiler would write it: one operator in place of all that it took."""
    schema, tree = read_tree(made)
    graph, code, program = tree.subgraphs[0], schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"edgetpu-custom-op"
    tree.operatorCodes.append(code)
    answer = graph.operators[-len(ANSWER) :]
    program.opcodeIndex, program.customOptions = len(tree.operatorCodes) - 1, list(PACKAGE)
    program.inputs, program.outputs = graph.inputs, answer[0].inputs[:1]
    graph.operators = [program, *answer]
    drop_unused(tree)
    seen = preflight(pack_tree(tree), "compiled")
    assert [op.op for op in seen.ops] == [OPERATOR, *ANSWER]
    assert [op.code for op in seen.ops] == ["mapped", *["answer"] * len(ANSWER)]


@pytest.mark.parametrize("name", ["bias", "searched"])
def test_limits_try_the_same_strategies_with_that_answer(tiny: TinyModel, name: str) -> None:
    rows = {row.name: row for row in applicable_strategies(edge_tpu=True, training=None)}
    candidate = rows[name].make(context_of(tiny))
    assert candidate.float_answer is not None
    structure = parse_structure(candidate.model, name)
    assert [op.name for op in structure.operators][-len(ANSWER) :] == ANSWER


def test_the_command_says_so_and_the_card_keeps_it(
    cli: Cli, tiny: TinyModel, photos: Path, tmp_path: Path
) -> None:
    model, out, report = tmp_path / "tiny.tflite", tmp_path / "out", tmp_path / "r.json"
    model.write_bytes(tiny.model)
    command = ["convert", "--model", model, "--preprocess", "mean=0,std=1", "--edgetpu"]
    command += ["--teachable", "--data", photos, "--calibration-images", "10", "--out", out]
    code, told, err = cli(*command, "--json", report)
    assert code == 0, err
    assert f"on the CPU: {len(ANSWER)} operators: the answer, in float" in " ".join(told.split())
    assert "to change:" not in told
    said = json.loads(report.read_text())["edgetpu"]
    assert [op["op"] for op in said["ops"] if op["code"] == "answer"] == ANSWER
    card = read_artifact(out / "tiny-edgetpu.tflite").card
    assert card is not None
    quantized, foreseen = card.steps[-2:]
    assert quantized["recipe"]["float_answer"]
    assert [op["code"] for op in foreseen["left_on_cpu"]] == ["answer"] * len(ANSWER)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--int8", "--teachable"), "--teachable is for --edgetpu"),
        (("--teachable",), "--teachable is for --edgetpu; found no recipe"),
        (("--edgetpu", "--teachable", "--full-integer"), "--full-integer keeps nothing in float"),
    ],
)
def test_it_is_for_the_edge_tpu(
    cli: Cli, tmp_path: Path, options: tuple[str, ...], line: str
) -> None:
    code, _, err = cli("convert", "--variant", "lite0", *options, "--out", tmp_path / "out")
    assert code == 2
    assert line in err


def test_a_network_without_a_dense_layer_has_none_to_exchange(cli: Cli, tmp_path: Path) -> None:
    from keras import Sequential, layers

    network = Sequential(
        [layers.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()]
    )
    network.save(tmp_path / "conv.keras")
    options = ("--preprocess", "tf", "--edgetpu", "--teachable", "--out", tmp_path / "out")
    code, _, err = cli("convert", "--model", tmp_path / "conv.keras", *options)
    assert code == 1
    assert "conv has no last layer that could stay out of what is compiled" in err
    assert not (tmp_path / "out").exists()
