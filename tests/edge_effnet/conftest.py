"""A classifier small enough to understand: it says which colour a picture has most of.

MEAN over the pixels, one FULLY_CONNECTED layer, SOFTMAX: a whole model file of a few hundred
bytes, written with the schema that comes with LiteRT. Its weights decide how it errs, and
``end`` what its answer means: SOFTMAX, LOGISTIC, or None for the bare layer.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from edge_effnet.artifact import Card, write_artifact
from edge_effnet.cli import run
from edge_effnet.image.preprocessing import Preprocess

COLOURS = ("red", "green", "blue")
SIDE = 4
RIGHT = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
BLUE_IS_RED = ((1, 0, 1.2), (0, 1, 0), (0, 0, 0))  # every blue image is taken for a red one
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # what no pipe may get
MakeModel = Callable[..., Path]


@pytest.fixture
def colour_model(tmp_path: Path) -> MakeModel:
    """Make a model file: ``colour_model(name, weights=…, labels=…)``.

    ``weights`` is classes x 3; its default looks for red, green and blue. ``labels=None``
    leaves labels and preprocessing out of the file.
    """

    def make(
        name: str = "colours.tflite",
        weights: ArrayLike = RIGHT,
        labels: tuple[str, ...] | None = COLOURS,
        end: str | None = "SOFTMAX",
    ) -> Path:
        path = tmp_path / name
        model = model_bytes(np.asarray(weights, np.float32) * (10 / 255), end)
        if labels is None:
            path.write_bytes(model)
        else:
            card = Card(name=path.stem, labels=labels, preprocess=Preprocess(SIDE, SIDE))
            write_artifact(path, model, card)
        return path

    return make


@pytest.fixture
def colour_folder(tmp_path: Path) -> Path:
    """A data set of a folder per colour, 10 pictures each, in three shades and noise."""
    random = np.random.default_rng(7)
    for place, colour in enumerate(COLOURS):
        for number in range(10):
            pixels = random.integers(0, 60, (9, 12, 3), dtype=np.uint8)
            pixels[:, :, place] += np.uint8(100 + 10 * (number % 3))
            write_image(tmp_path / "images" / colour / f"{number}.png", pixels)
    return tmp_path / "images"


@pytest.fixture
def taught_model(
    tmp_path: Path,
    colour_model: MakeModel,
    colour_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> Path:
    """A file that was taught red and green, by ``edge-effnet teach``; blue is unknown to it."""
    for colour in ("red", "green"):
        shutil.copytree(colour_folder / colour, tmp_path / "photos" / colour)
    return taught(tmp_path / "photos", colour_model("base.tflite"), capsys)


def taught(photos: Path, base: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """What ``edge-effnet teach`` makes of photos, beside their folder."""
    path = photos.with_name("taught.tflite")
    assert run(["teach", str(photos), "--base", str(base), "--out", str(path)]) == 0
    capsys.readouterr()
    return path


def write_image(path: Path, rgb: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def model_bytes(weights: NDArray[np.float32], end: str | None = "SOFTMAX") -> bytes:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    kinds, options = schema.BuiltinOperator, schema.BuiltinOptions
    classes = len(weights)
    tree, graph = schema.ModelT(), schema.SubGraphT()
    tree.version, tree.buffers = 3, [schema.BufferT()]
    graph.tensors, graph.operators, tree.operatorCodes = [], [], []

    def tensor(name: str, shape: list[int], content: Any = None) -> int:
        made = schema.TensorT()
        made.name, made.shape = name.encode(), shape
        made.type = schema.TensorType.FLOAT32
        if content is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content.tobytes(), np.uint8)
            tree.buffers.append(buffer)
            made.buffer = len(tree.buffers) - 1
            if content.dtype == np.int32:
                made.type = schema.TensorType.INT32
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(code: int, inputs: list[int], output: int, kind: int, settings: Any) -> None:
        entry, made = schema.OperatorCodeT(), schema.OperatorT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = 1
        tree.operatorCodes.append(entry)
        made.opcodeIndex = len(tree.operatorCodes) - 1
        made.inputs, made.outputs = inputs, [output]
        made.builtinOptionsType, made.builtinOptions = kind, settings
        graph.operators.append(made)

    picture = tensor("image", [1, SIDE, SIDE, 3])
    axes = tensor("axes", [2], np.array([1, 2], np.int32))
    mean = tensor("mean", [1, 3])
    layer = tensor("weights", [classes, 3], weights)
    logits = answer = tensor("logits", [1, classes])
    operator(kinds.MEAN, [picture, axes], mean, options.ReducerOptions, schema.ReducerOptionsT())
    full = schema.FullyConnectedOptionsT()
    operator(kinds.FULLY_CONNECTED, [mean, layer, -1], logits, options.FullyConnectedOptions, full)
    if end == "SOFTMAX":
        softmax, answer = schema.SoftmaxOptionsT(), tensor("scores", [1, classes])
        softmax.beta = 1.0
        operator(kinds.SOFTMAX, [logits], answer, options.SoftmaxOptions, softmax)
    elif end == "LOGISTIC":
        answer = tensor("scores", [1, classes])
        operator(kinds.LOGISTIC, [logits], answer, options.NONE, None)
    graph.inputs, graph.outputs = [picture], [answer]
    tree.subgraphs = [graph]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(tree))
