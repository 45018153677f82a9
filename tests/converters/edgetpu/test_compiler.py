"""Edge TPU: its recipe, the compiler's log, and the compiler called as a program.

The compiler itself cannot be had here. Its stand-in is a real program on PATH that writes a file
and prints a log of the true form; the logs are those of its public issue tracker, shortened.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from converters.accuracy.strategies import STRATEGIES, applicable_strategies
from converters.edgetpu.compiler import CompilerLog, compile_model, parse_log
from converters.edgetpu.preflight import preflight
from converters.edgetpu.versions import NEWEST_VERSION
from converters.quantization.qat.step import Train
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from edge_effnet.artifact import read_artifact
from edge_effnet.errors import ModelError
from edge_effnet.tflite.editor import pack_tree, read_tree
from edge_effnet.tflite.reader import parse_structure
from tests.conftest import RunCommand
from tests.converters.conftest import CLASSES, SIDE, TinyModel

# google-coral/edgetpu issue 60
VERSION_2 = """\
Edge TPU Compiler version 2.1.302470888

Model compiled successfully in 12264 ms.

Input model: model2.tflite
Input size: 8.11MiB
Output model: model2_edgetpu.tflite
Output size: 9.47MiB
On-chip memory used for caching model parameters: 6.86MiB
On-chip memory remaining for caching model parameters: 7.75KiB
Off-chip memory used for streaming uncached model parameters: 1.22MiB
Number of Edge TPU subgraphs: 1
Total number of operations: 93
Operation log: model2_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU. A percentage \
of the model will instead run on the CPU, which is slower. If possible, consider updating your \
model to use only operations supported by the Edge TPU. For details, visit g.co/coral/model-reqs.
Number of operations that will run on Edge TPU: 83
Number of operations that will run on CPU: 10

Operator                       Count      Status

LOGISTIC                       1          More than one subgraph is not supported
ADD                            10         Mapped to Edge TPU
CONCATENATION                  1          More than one subgraph is not supported
"""
# WongKinYiu/yolov7 pull request 1672; issue 572 has the last two lines
VERSION_16 = """\
Edge TPU Compiler version 16.0.384591198
Searching for valid delegate with step 10
Try to compile segment with 246 ops
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 3133 ms.

Input model: runs/train/exp8/weights/best-int8.tflite
Input size: 6.00MiB
Output model: runs/train/exp8/weights/best-int8_edgetpu.tflite
Output size: 6.47MiB
On-chip memory used for caching model parameters: 5.90MiB
On-chip memory remaining for caching model parameters: 1.16MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 246
Operation log: runs/train/exp8/weights/best-int8_edgetpu.log

Operator                       Count      Status

ADD                            3          Mapped to Edge TPU
LOGISTIC                       64         Mapped to Edge TPU
RESIZE_NEAREST_NEIGHBOR        2          Mapped to Edge TPU
Compilation child process completed within timeout period.
Compilation succeeded!
"""
# issue 631
REFUSED = """\
Edge TPU Compiler version 16.0.384591198
ERROR: Didn't find op for builtin opcode 'CONV_2D' version '6'. An older version of this builtin \
might be supported. Are you using an old TFLite binary with a newer model?

ERROR: Registration failed.

Invalid model: model.tflite
Model could not be parsed
"""


def test_logs_of_several_versions_are_read() -> None:
    assert parse_log(VERSION_2) == CompilerLog(
        version="2.1.302470888",
        subgraphs=1,
        operations=93,
        cached_bytes=round(6.86 * 2**20),
        free_bytes=round(7.75 * 2**10),
        streamed_bytes=round(1.22 * 2**20),
        statuses=(
            ("LOGISTIC", 1, "More than one subgraph is not supported"),
            ("ADD", 10, "Mapped to Edge TPU"),
            ("CONCATENATION", 1, "More than one subgraph is not supported"),
        ),
    )
    newest = parse_log(VERSION_16)
    assert (newest.version, newest.mapped, newest.streamed_bytes) == ("16.0.384591198", 69, 0)
    with pytest.raises(ValueError, match="subgraphs"):
        parse_log(REFUSED)


def stand_in(folder: Path, log: str, *, writes: bool = True, code: int = 0) -> Path:
    """A program that is called as the compiler is, and answers with its log."""
    path, script = folder / "edgetpu_compiler", folder / "compiler.py"
    # A shell between: the line #! takes neither blanks nor a long path.
    path.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(script)])} "$@"\n')
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "model = Path(sys.argv[-1])\n"
        "out = Path(sys.argv[sys.argv.index('--out_dir') + 1])\n"
        "assert '--show_operations' in sys.argv\n"
        f"if {writes}:\n"
        "    (out / f'{model.stem}_edgetpu.tflite').write_bytes(model.read_bytes())\n"
        f"print({log!r})\n"
        f"sys.exit({code})\n"
    )
    path.chmod(0o755)
    return path


def test_the_compiler_is_run_and_its_file_taken(tmp_path: Path) -> None:
    made = compile_model(str(stand_in(tmp_path, VERSION_16)), b"a model", "lite0.tflite")
    assert made.model == b"a model"
    assert made.log.operations == 246


@pytest.mark.parametrize(
    ("log", "writes", "code", "reason"),
    [
        (REFUSED, False, 1, "builtin opcode 'CONV_2D' version '6'"),
        ("Internal compiler error. Aborting! \n", False, 1, "Internal compiler error"),
        (VERSION_16, False, 0, "model_edgetpu.tflite"),
        ("", False, 3, "exit code 3"),
    ],
)
def test_what_the_compiler_refuses_is_one_line(
    tmp_path: Path, log: str, writes: bool, code: int, reason: str
) -> None:
    program = stand_in(tmp_path, log, writes=writes, code=code)
    with pytest.raises(ModelError, match=reason) as caught:
        compile_model(str(program), b"a model", "lite0.tflite")
    assert "\n" not in str(caught.value)


def test_a_compiler_for_another_machine_is_one_line(tmp_path: Path) -> None:
    program = tmp_path / "edgetpu_compiler"
    program.write_bytes(b"\x7fELF no such machine")
    program.chmod(0o755)
    with pytest.raises(ModelError, match="could not compile lite0"):
        compile_model(str(program), b"a model", "lite0.tflite")


def test_the_recipe_is_what_the_compiler_wants(tiny: TinyModel) -> None:
    made = quantize(tiny.model, RECIPES["edgetpu"], tiny.ranges, "uint8")
    structure = parse_structure(made, "tiny")
    scales = {
        op.name: len(structure.tensors[op.inputs[1]].scales)
        for op in structure.operators
        if op.name in {"CONV_2D", "FULLY_CONNECTED"}
    }
    assert scales["FULLY_CONNECTED"] == CLASSES
    assert scales["CONV_2D"] > 1
    assert made == quantize(tiny.model, RECIPES["int8"], tiny.ranges, "uint8")
    found = preflight(made, "tiny")
    assert found.mapped == len(found.ops)
    assert found.subgraphs == 1


def test_an_operator_newer_than_the_compiler_stops_the_whole_file(tiny: TinyModel) -> None:
    tree = read_tree(quantize(tiny.model, RECIPES["edgetpu"], tiny.ranges, "uint8"))[1]
    for code in tree.operatorCodes:
        code.version = NEWEST_VERSION["CONV_2D"] + 1
    found = preflight(pack_tree(tree), "tiny")
    assert found.mapped == 0
    assert "CONV_2D is of version 6" in found.changes[0]


def test_convert_looks_compiles_and_keeps_the_card(
    edge_effnet: RunCommand, tiny: TinyModel, photos: Path, tmp_path: Path
) -> None:
    model, out, programs = tmp_path / "tiny-float32.tflite", tmp_path / "out", tmp_path / "bin"
    model.write_bytes(tiny.model)
    programs.mkdir()
    command = ["convert", "--model", model, "--preprocess", "mean=0,std=1", "--edgetpu"]
    command += ["--data", photos, "--calibration-images", "10", "--out", out]
    done = edge_effnet(*command)
    assert done.returncode == 0, done.stderr
    assert "operators map, in 1 piece" in done.stdout
    assert "sudo apt install edgetpu-compiler" in done.stdout

    stand_in(programs, VERSION_2)
    path = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = edge_effnet(*command, "--json", tmp_path / "r.json", "--force", env=path)
    assert done.returncode == 0, done.stderr
    assert "1 × LOGISTIC: More than one subgraph is not supported" in done.stdout
    said = json.loads((tmp_path / "r.json").read_text())["edgetpu"]
    assert said["compiler"]["operations"] == 93
    assert len(said["ops"]) == said["mapped"]
    card = read_artifact(Path(said["compiled"])).card
    assert card is not None
    assert card.labels == tuple(f"class{index}" for index in range(10))
    assert card.preprocess.height == SIDE
    assert [step["step"] for step in card.steps][-3:] == [
        "quantized",
        "edge tpu preflight",
        "compiled",
    ]
    assert card.steps[-1]["streamed_bytes"] == round(1.22 * 2**20)
    assert "on a CPU" in (card.measured or {})["of"]

    refused = edge_effnet(*command, env=path)
    assert refused.returncode == 1
    assert "already exists" in refused.stderr

    stand_in(programs, REFUSED, writes=False, code=1)
    failed = edge_effnet(*command, "--json", tmp_path / "r.json", "--force", env=path)
    assert failed.returncode == 1
    assert "operators map, in 1 piece" in failed.stdout  # what was made is told all the same
    assert "refused" in json.loads((tmp_path / "r.json").read_text())["edgetpu"]
    assert "edgetpu_compiler refused" in failed.stderr.splitlines()[-1]


def test_a_limit_tries_full_integers_in_the_edge_tpus_recipe(edge_effnet: RunCommand) -> None:
    strategies = applicable_strategies(edge_tpu=True, allow_float=3, training=Train())
    assert {row.recipe for row in strategies} == {"edgetpu"}
    assert [row.name for row in strategies] == [
        row.name for row in STRATEGIES if row.recipe == "int8"
    ]
    assert not any(row.left_float for row in strategies)
    asked = ("convert", "--variant", "lite0", "--edgetpu", "--max-drop", "1", "--allow-float", "2")
    done = edge_effnet(*asked)
    assert done.returncode == 2
    assert "computes nothing in float" in done.stderr
