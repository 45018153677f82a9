"""What ``convert`` refuses is said by every command that would send the user there."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.errors import ModelError
from edge_effnet.measure.file_description.describe import describe_file
from edge_effnet.model_files import identify, refusal, refuse_unconvertible
from edge_effnet.model_files.saved_model import read_saved_graph


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "module": "keras.layers", "config": {"name": name, **config}}


FIRST = layer("InputLayer", "input", batch_shape=[None, 48, 48, 3])
OPEN = layer("InputLayer", "input", batch_shape=[None, None, None, 3])
CONV = layer("Conv2D", "conv", kernel_size=[3, 3], strides=[2, 2], padding="same")
POOL = layer("GlobalAveragePooling2D", "pool")
DENSE = layer("Dense", "dense", units=3, activation="softmax")


def keras_file(path: Path, *layers: dict[str, Any], **config: Any) -> Path:
    network = {"class_name": "Functional", "config": {"name": "mine", "layers": layers, **config}}
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("config.json", json.dumps(network))
        pack.writestr("model.weights.h5", b"")
    return path


def message(*parts: tuple[int, bytes | int]) -> bytes:
    """A protocol buffer of these fields."""
    out = b""
    for number, value in parts:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def saved_model(
    folder: Path,
    *operators: str,
    shapes: tuple[tuple[int, ...], ...] = ((-1, 48, 48, 3),),
    outputs: int = 1,
) -> Path:
    folder.mkdir()
    nodes = [(1, message((1, b"n"), (2, name.encode()))) for name in operators]
    function = message((1, message((1, b"inner"))), (3, message((1, b"n"), (2, b"Relu"))))
    graph = message(*nodes, (1, message((1, b"c"), (2, b"inner"))), (2, message((1, function))))
    ends: list[tuple[int, bytes | int]] = []
    for index, shape in enumerate(shapes):
        sides = message(*((2, message((1, side))) for side in shape))
        ends.append((1, message((1, b"x%d" % index), (2, message((2, 1), (3, sides))))))
    for index in range(outputs):
        ends.append((2, message((1, b"y%d" % index), (2, message((2, 1))))))
    signature = message((1, b"serving_default"), (2, message(*ends)))
    meta = message((1, b""), (2, graph), (5, signature))
    (folder / "saved_model.pb").write_bytes(message((1, 1), (2, meta)))
    return folder


@pytest.mark.parametrize(
    ("layers", "config", "line"),
    [
        ((FIRST, layer("LSTM", "memory", units=4), DENSE), {}, "no network for single images"),
        ((FIRST, layer("Lambda", "mine", function="x"), DENSE), {}, "code that is never run"),
        ((FIRST, layer("Mine", "mine"), DENSE), {}, "cannot be rebuilt"),
        (
            (FIRST, DENSE),
            {"output_layers": [["a", 0, 0], ["b", 0, 0]]},
            "has 2 outputs; found a, b",
        ),
        ((FIRST, DENSE), {"input_layers": [["a", 0, 0], ["b", 0, 0]]}, "is given the image alone"),
        ((DENSE,), {}, "was never built.*begin it with keras.Input"),
        ((layer("InputLayer", "i", batch_shape=[None, 9]), DENSE), {}, "does not take one image"),
        ((FIRST, CONV), {}, "is a segmenter"),
    ],
)
def test_a_keras_network_that_convert_refuses_is_not_sent_there(
    layers: tuple[dict[str, Any], ...], config: dict[str, Any], line: str, tmp_path: Path
) -> None:
    path = keras_file(tmp_path / "my model.keras", *layers, **config)
    said = str(refusal(identify(path), "run"))
    assert re.search(line, said)
    assert "my model.keras" in said
    assert "has to be converted" not in said


def test_one_in_an_archive_is_refused_by_the_archives_name(tmp_path: Path) -> None:
    inside = keras_file(tmp_path / "m.keras", FIRST, layer("LSTM", "memory", units=4))
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as pack:
        pack.write(inside, "m.keras")
    with pytest.raises(ModelError, match=r"export\.zip is no network for single images"):
        refuse_unconvertible(identify(tmp_path / "export.zip"))


@pytest.mark.parametrize("convolutions", [0, 6])
def test_a_network_that_may_end_in_one_place_is_no_segmenter(
    convolutions: int, tmp_path: Path
) -> None:
    middle = [CONV] * convolutions if convolutions else [CONV, POOL]
    assert not refuse_unconvertible(identify(keras_file(tmp_path / "m.keras", FIRST, *middle)))


def test_an_open_size_is_in_the_command(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "m.keras", OPEN, CONV, POOL, DENSE)
    line = str(refusal(identify(path), "run"))
    assert f"--model {path} --resolution 224 --int8 --data PHOTOS" in line
    folder = saved_model(tmp_path / "saved", "Conv2D", shapes=((-1, -1, -1, 3),))
    assert "--resolution 224 --int8" in str(refusal(identify(folder), "run"))


@pytest.mark.parametrize(
    ("operators", "shapes", "outputs", "line"),
    [
        (("Conv2D", "PyFunc"), ((-1, 48, 48, 3),), 1, "cannot be converted; found PyFunc"),
        (("Addons>Resampler",), ((-1, 48, 48, 3),), 1, "found Addons>Resampler"),
        (("Conv2D",), ((-1, 48, 48, 3), (-1, 4)), 1, r"x0 \(any, 48, 48, 3\), x1 \(any, 4\)"),
        (("Conv2D",), ((-1, 20, 8),), 1, "does not take one image"),
        (("Conv2D",), ((-1, 48, 48, 3),), 2, "has 2 outputs; found y0, y1"),
    ],
)
def test_a_saved_model_that_convert_refuses_is_not_sent_there(
    operators: tuple[str, ...],
    shapes: tuple[tuple[int, ...], ...],
    outputs: int,
    line: str,
    tmp_path: Path,
) -> None:
    folder = saved_model(tmp_path / "saved", *operators, shapes=shapes, outputs=outputs)
    assert re.search(line, str(refusal(identify(folder), "run")))


def test_operators_that_only_a_conversion_can_judge_are_named(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "saved", "Conv2D", "Erfinv")
    assert "if that is possible with its operators Erfinv" in str(refusal(identify(folder), "run"))
    assert "Erfinv" in describe_file(folder).problems[0].what
    plain = saved_model(tmp_path / "plain", "Conv2D")
    assert "if that is possible" not in str(refusal(identify(plain), "run"))
    assert describe_file(plain).problems == ()


def test_the_graph_of_a_saved_model_is_read_with_its_functions(tmp_path: Path) -> None:
    found = read_saved_graph(saved_model(tmp_path / "saved", "Conv2D"))
    assert found is not None
    assert found.operators == {"Conv2D", "Relu"}  # the call of "inner" is none
    assert found.inputs == (("x0", (-1, 48, 48, 3)),)
    assert found.outputs == ("y0",)


def test_a_graph_that_is_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "saved_model.pb")
    assert "is a folder, not a model" in str(refusal(identify(tmp_path), "run"))
    assert read_saved_graph(tmp_path) is None


def test_a_damaged_saved_model_tells_nothing(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "saved", "Conv2D")
    whole = (folder / "saved_model.pb").read_bytes()
    for end in range(len(whole)):
        (folder / "saved_model.pb").write_bytes(whole[:end])
        found = read_saved_graph(folder)
        assert found is None or not found.operators
