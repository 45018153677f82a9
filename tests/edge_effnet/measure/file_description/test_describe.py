"""``describe_file`` on files of each kind: facts, what is wrong, and the command that helps."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.measure.file_description.describe import describe_file
from edge_effnet.measure.file_description.description import FileDescription
from tests.edge_effnet.conftest import model_bytes

MakeModel = Callable[..., Path]
BYTES = model_bytes(np.eye(3, dtype=np.float32))


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "module": "keras.layers", "config": {"name": name, **config}}


DENSE = layer("Dense", "dense", units=3, activation="softmax")
FIRST = layer("InputLayer", "input", batch_shape=[None, 48, 40, 3])


def keras_file(path: Path, *layers: dict[str, Any], **config: Any) -> Path:
    network = {
        "class_name": "Functional",
        "config": {"name": "mine", "layers": list(layers), **config},
    }
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("config.json", json.dumps(network))
        pack.writestr("metadata.json", json.dumps({"keras_version": "3.8.0"}))
        pack.writestr("model.weights.h5", b"")
    return path


def facts(found: FileDescription) -> dict[str, str]:
    return dict(found.facts)


def test_a_float_classifier_that_does_not_say_its_pixels(colour_model: MakeModel) -> None:
    path = colour_model("my colours.tflite", labels=None)
    path.with_name("labels.txt").write_text("0 red\n1 green\n2 blue\n")
    found = describe_file(path)
    said = facts(found)
    assert said["file"].startswith("a TFLite model, float32")
    assert said["input"] == "4 x 4 RGB, float32"
    assert said["answer"] == "3 classes (softmax)"
    assert said["labels"] == f"red, green, blue (from {path.with_name('labels.txt')})"
    assert found.command is not None
    assert shlex.split(found.command)[:6] == [
        *("edge-effnet", "convert", "--model", str(path), "--int8"),
        "--data",
    ]


def test_our_own_file_tells_its_steps(colour_model: MakeModel) -> None:
    said = facts(describe_file(colour_model()))
    assert said["made by"] == "edge-effnet"
    assert said["labels"] == "red, green, blue (from inside the file)"
    assert "its model card" in said["photos"]


def test_a_network_that_convert_refuses_gets_no_command(tmp_path: Path) -> None:
    from ai_edge_litert.tools import flatbuffer_utils

    tree = flatbuffer_utils.read_model_from_bytearray(bytearray(BYTES))
    code = tree.operatorCodes[0]
    code.builtinCode = code.deprecatedBuiltinCode = 32  # CUSTOM
    code.customCode = b"FlexErf"
    path = tmp_path / "flex.tflite"
    path.write_bytes(bytes(flatbuffer_utils.convert_object_to_bytearray(tree)))
    found = describe_file(path)
    assert found.command is None
    assert "not TFLite's own: FlexErf" in found.problems[-1].what


def test_a_keras_file_is_described_without_keras(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "m.keras", FIRST, layer("Rescaling", "scale"), DENSE)
    found = describe_file(path)
    said = facts(found)
    assert said["made by"] == "Keras 3.8.0"
    assert said["input"] == "48 x 40 RGB"
    assert said["answer"] == "3 numbers, softmax"
    assert "scale (Rescaling)" in said["photos"]
    assert (found.problems, found.runs) == ((), False)
    assert found.command == f"edge-effnet convert --model {path} --int8 --calibration PHOTOS"
    with zipfile.ZipFile(tmp_path / "converted_keras.zip", "w") as pack:
        pack.write(path, "m.keras")
    packed = facts(describe_file(tmp_path / "converted_keras.zip"))
    size = (tmp_path / "converted_keras.zip").stat().st_size
    assert packed["file"] == f"a zip archive with a Keras model, {size} bytes"
    assert packed["in it"] == "m.keras"


@pytest.mark.parametrize("names", [("model_unquant.tflite", "model.tflite"), ("a.keras", "b.h5")])
def test_a_second_model_in_an_archive_is_mentioned(names: tuple[str, str], tmp_path: Path) -> None:
    inside = keras_file(tmp_path / "m.keras", FIRST, DENSE).read_bytes()
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as pack:
        for name in names[::-1] if "unquant" in names[0] else names:
            pack.writestr(name, BYTES if name.endswith("tflite") else inside)
    said = facts(describe_file(path))
    assert said["in it"] == names[0]
    assert said["also in it"].startswith(f"{names[1]} (not read")


def test_a_network_of_any_size_gets_the_size_in_its_command(tmp_path: Path) -> None:
    open_ = layer("InputLayer", "input", batch_shape=[None, None, None, 3])
    found = describe_file(keras_file(tmp_path / "m.keras", open_, DENSE))
    assert found.command is not None
    assert "--int8 --resolution 224 --data PHOTOS" in found.command
    resized = layer("Resizing", "resizing", height=48, width=48)
    found = describe_file(keras_file(tmp_path / "m.keras", open_, resized, DENSE))
    assert found.command is not None
    assert "--resolution" not in found.command


@pytest.mark.parametrize(
    ("layers", "config", "line"),
    [
        ((FIRST, layer("LSTM", "memory", units=4), DENSE), {}, "LSTM"),
        ((FIRST, layer("Lambda", "mine", function="x"), DENSE), {}, "Lambda"),
        ((FIRST, DENSE), {"output_layers": [["a", 0, 0], ["b", 0, 0]]}, "2 outputs"),
        ((DENSE,), {}, "never built"),
        ((layer("InputLayer", "i", batch_shape=[None, 9]), DENSE), {}, "does not take one image"),
    ],
)
def test_what_convert_would_refuse_is_said_and_no_command_is_given(
    layers: tuple[dict[str, Any], ...], config: dict[str, Any], line: str, tmp_path: Path
) -> None:
    found = describe_file(keras_file(tmp_path / "m.keras", *layers, **config))
    assert line in found.problems[0].what
    assert found.command is None


def test_a_damaged_configuration_is_no_crash(tmp_path: Path) -> None:
    for odd in ({"class_name": "Functional", "config": {"layers": [1, {}]}}, [1], "x"):
        path = tmp_path / "m.keras"
        with zipfile.ZipFile(path, "w") as pack:
            pack.writestr("config.json", json.dumps(odd))
            pack.writestr("model.weights.h5", b"")
        assert describe_file(path).code == "keras-zip"


def test_other_frameworks_are_named_with_a_way(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\x08\x08\x12\x07pytorch\x3a\x02\x12\x00\x42\x02\x10\x11")
    found = describe_file(path)
    assert facts(found)["made by"] == "pytorch"
    assert found.command is None
    assert "onnx2tf" in (found.problems[0].fix or "")


def test_what_is_no_network_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelError, match=r"is a Git LFS pointer.*git lfs pull"):
        describe_file(path)


def test_teachable_machines_wrong_range_leads_to_the_float_file(
    reference: Path, tmp_path: Path
) -> None:
    folder = reference / "teachable" / "fruit6"
    path = Path(shutil.copy(folder / "model.tflite", tmp_path))
    alone = describe_file(path)
    with zipfile.ZipFile(tmp_path / "converted_tflite_quantized.zip", "w") as pack:
        pack.write(path, "model.tflite")
    packed = facts(describe_file(tmp_path / "converted_tflite_quantized.zip"))
    assert packed["made by"].startswith("Teachable Machine")
    assert alone.problems[0].code == "input-range"
    assert alone.command is None
    assert "Export Model" in (alone.problems[0].fix or "")
    shutil.copy(folder / "model_unquant.tflite", tmp_path)
    beside = describe_file(path)
    assert beside.command is not None
    assert f"--model {tmp_path / 'model_unquant.tflite'} --int8" in beside.command
    assert facts(beside)["made by"].startswith("Teachable Machine, TensorFlow's first converter")


def test_every_reference_model_is_described(reference: Path) -> None:
    paths = [*(reference / "wild").glob("*.*"), *(reference / "teachable").glob("*/*model*")]
    for path in paths:
        if path.suffix != ".json":
            found = describe_file(path)
            assert len(found.facts) >= 4
            assert found.command or found.problems or "int8" in facts(found)["file"]


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_models_are_described_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.tflite"
    data = bytearray(BYTES)
    for place, value in changes:
        data[place % len(data)] = value
    path.write_bytes(data)
    with contextlib.suppress(EdgeEffnetError):
        describe_file(path)


def test_what_is_no_model_is_told_which_kinds_are(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing but words")
    with pytest.raises(ModelError, match=r"expected a model of any kind: \.tflite, Keras"):
        describe_file(path)


def test_layers_and_answers_are_counted(tmp_path: Path) -> None:
    value = layer("Dense", "value", units=1, activation="linear")
    said = facts(describe_file(keras_file(tmp_path / "value.keras", FIRST, value)))
    assert said["answer"] == "1 number, linear"
    assert said["layers"] == "2: 1 InputLayer, 1 Dense"
    assert said["photos"] == "the file does not say how they become the input"
    both = keras_file(
        tmp_path / "both.keras",
        *(FIRST, DENSE, value),
        output_layers=[["dense", 0, 0], ["value", 0, 0]],
    )
    assert facts(describe_file(both))["answer"] == "3 numbers, softmax; 1 number, linear"


def test_half_an_archive_is_told_in_plain_words(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "half.keras", FIRST, DENSE)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match="without the list at its end"):
        describe_file(path)
