"""The one line for a file that a command cannot use, and the way that works."""

from __future__ import annotations

import ast
import json
import re
import shlex
import zipfile
from pathlib import Path

import pytest

from edge_effnet.model_files import KINDS, ModelFile, Use, identify, refusal
from edge_effnet.model_files.kinds import GUIDE, ONNX_PACKAGES, PYTORCH_PACKAGES
from edge_effnet.model_files.refusals import way


@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("use", ["run", "convert", "weights"])
def test_every_refusal_is_one_line_with_the_users_file(code: str, use: Use, tmp_path: Path) -> None:
    path = tmp_path / "my model.bin"
    if code == "saved-model":
        path.mkdir()
    (path / "saved_model.pb" if path.is_dir() else path).write_bytes(b"12345678")
    if use in KINDS[code].uses or code == "folder-of-model":
        return
    line = str(refusal(ModelFile(path, KINDS[code]), use))
    assert "my model.bin" in line
    assert "\n" not in line
    assert "{" not in line


def test_a_command_is_quoted_for_the_shell(tmp_path: Path) -> None:
    folder = tmp_path / "my model's"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"12345678")
    assert shlex.split(way(identify(folder)))[3] == str(folder)


@pytest.mark.parametrize("code", ["keras-weights", "optimizer-state", "tfjs", "frozen-graph"])
def test_a_line_of_python_is_python_whatever_the_name(code: str) -> None:
    text = way(ModelFile(Path("my model's.weights.h5"), KINDS[code]))
    (call,) = re.findall(r"model\.save\(.*?\)|from_frozen_graph\(.*?\)", text)
    name = ast.parse(call).body[0].value.args[0].value  # type: ignore[attr-defined]
    assert name in ("my model's.keras", "my model's.weights.h5")


def test_python_in_a_shell_gets_the_name_as_an_argument() -> None:
    text = way(ModelFile(Path("it's $1"), KINDS["saved-model-text"]))
    command = text.partition("installed: ")[2].partition(", then ")[0]
    *_, program, name = shlex.split(command)
    ast.parse(program)
    assert name == "it's $1"


def test_no_command_is_named_that_refuses_the_file() -> None:
    for kind in KINDS.values():
        if "--model {file}" in kind.way:
            assert "convert" in kind.uses
        if "--weights {file}" in kind.way:
            assert "weights" in kind.uses


def test_the_float_model_of_a_folder_is_named_for_convert(tmp_path: Path) -> None:
    for name in ("model.tflite", "model_unquant.tflite"):
        (tmp_path / name).write_bytes(b"\x1c\0\0\0TFL3" + bytes(8))
    line = str(refusal(identify(tmp_path), "convert"))
    assert f"give {tmp_path / 'model_unquant.tflite'}" in line


def test_a_folder_with_a_keras_model_is_converted_at_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as pack:
        layers = [{"class_name": "InputLayer", "config": {"batch_shape": [None, 8, 8, 3]}}]
        layers += [{"class_name": "Flatten", "config": {"name": "flatten"}}]
        network = {"class_name": "Functional", "config": {"name": "mine", "layers": layers}}
        pack.writestr("config.json", json.dumps(network))
        pack.writestr("model.weights.h5", "")
    line = str(refusal(identify(tmp_path), "run"))
    assert f"edge-effnet convert --model {tmp_path / 'a.keras'} --int8" in line


def test_the_recipes_are_those_of_the_guide() -> None:
    guide = Path(__file__).parents[3] / GUIDE
    text = guide.read_text(encoding="utf-8")
    for packages in (PYTORCH_PACKAGES, ONNX_PACKAGES):
        assert f"pip install {packages}\n" in text
