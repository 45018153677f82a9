"""A file that has not run here before runs first in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_effnet.errors import ModelError
from edge_effnet.files.limits import ACTIVATION_BYTES, LOOP_S
from edge_effnet.runtime import known_files
from edge_effnet.runtime.interpreter import open_interpreter
from tests.conftest import Cli
from tests.converters.network_builder import NetworkBuilder
from tests.edge_effnet.conftest import write_image

MakeModel = Callable[..., Path]
SIDE = 8


def network(kind: str, to: list[int], shape: tuple[int, ...]) -> bytes:
    """An operator with one constant, then a mean over the image: three scores."""
    builder = NetworkBuilder()
    image, middle = builder.tensor("image", (1, SIDE, SIDE, 3)), builder.tensor("middle", shape)
    values = builder.tensor("values", (len(to),), np.array(to, np.int32))
    builder.operator(kind, [image, values], middle)
    scores = builder.tensor("scores", (1, 3))
    axes = builder.tensor("axes", (2,), np.array([1, 2], np.int32))
    builder.operator("MEAN", [middle, axes], scores, options="ReducerOptions")
    return builder.pack(image, [scores])


def endless() -> bytes:
    """A loop whose condition is a constant."""
    builder = NetworkBuilder()
    shape = (1, SIDE, SIDE, 3)
    image, scores = builder.tensor("image", shape), builder.tensor("scores", shape)
    builder.operator("WHILE", [image], scores, options="WhileOptions",
                     condSubgraphIndex=1, bodySubgraphIndex=2)  # fmt: skip
    graph = builder.graph
    for value in (np.array(True), None):
        builder.graph = schema.SubGraphT()
        builder.graph.tensors, builder.graph.operators = [], []
        source = builder.tensor("in", shape)
        answer = builder.tensor("out", shape if value is None else (), value)
        if value is None:
            builder.operator("RELU", [source], answer)
        builder.graph.inputs = np.array([source], np.int32)
        builder.graph.outputs = np.array([answer], np.int32)
        builder.tree.subgraphs.append(builder.graph)
    builder.graph = graph
    return builder.pack(image, [scores])


DEADLY = network("RESHAPE", [1] * 127 + [SIDE * SIDE * 3], (1, SIDE, SIDE, 3))


def refusal(path: Path, model: bytes) -> str:
    path.write_bytes(model)
    with pytest.raises(ModelError) as raised:
        open_interpreter(path)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_file_that_kills_the_runtime_is_refused(tmp_path: Path) -> None:
    """It reshapes to more dimensions than the runtime has room for."""
    path = tmp_path / "deadly.tflite"
    said = refusal(path, DEADLY)
    assert said.startswith(f"{path} is damaged; found SIGSEGV when it was run once")


def test_the_command_ends_in_one_line(tmp_path: Path, cli: Cli) -> None:
    model, image = tmp_path / "deadly.tflite", tmp_path / "image.png"
    model.write_bytes(DEADLY)
    write_image(image, np.zeros((9, 9, 3), np.uint8))
    code, out, err = cli("classify", model, image, "--preprocess", "mean=0,std=255")
    assert (code, out) == (1, "")
    assert err.startswith(f"error: {model} is damaged")
    assert err.count("\n") == 1


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path / "endless.tflite", endless())
    assert f"was not run once in {LOOP_S.value} s" in said
    assert f"{LOOP_S.variable}={10 * LOOP_S.value}" in said


def test_more_memory_than_the_limit_is_refused(tmp_path: Path) -> None:
    """The file states a small result; the runtime makes it larger by what the operator says."""
    large = network("TILE", [1, 4000, 4000, 1], (1, SIDE, SIDE, 3))
    said = refusal(tmp_path / "large.tflite", large)
    assert "needs more memory than the limit" in said
    assert ACTIVATION_BYTES.variable in said


def test_a_file_that_ran_is_remembered_and_another_of_its_name_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "cache"))
    path, known = tmp_path / "tiled.tflite", tmp_path / "cache" / known_files.NAME
    path.write_bytes(network("TILE", [1, 3, 5, 1], (1, 3 * SIDE, 5 * SIDE, 3)))
    open_interpreter(path)
    first = known.read_text()
    open_interpreter(path)
    assert known.read_text() == first
    path.write_bytes(network("TILE", [1, 5, 3, 1], (1, 5 * SIDE, 3 * SIDE, 3)))
    open_interpreter(path)
    assert len(known.read_text().split()) == 2


def test_a_file_that_killed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "deadly.tflite"
    assert refusal(path, DEADLY) == refusal(path, DEADLY)
    assert not (tmp_path / "cache" / known_files.NAME).exists()


@pytest.mark.parametrize("program", [None, "a program"])
def test_a_file_that_could_not_be_tried_is_opened_and_not_remembered(
    program: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Python is part of a program, or what should be Python is something else."""
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "cache"))
    other = tmp_path / "python"
    other.symlink_to("/bin/true")
    monkeypatch.setattr(sys, "executable", program and str(other))
    path = tmp_path / "tiled.tflite"
    path.write_bytes(network("TILE", [1, 3, 3, 1], (1, 3 * SIDE, 3 * SIDE, 3)))
    assert open_interpreter(path).notice is None
    assert not (tmp_path / "cache" / known_files.NAME).exists()


def test_a_cache_that_is_no_folder_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "cache"))
    known_files.remember("b" * 64)
    assert known_files.is_known("b" * 64)  # by this process
    assert not known_files.is_known("c" * 64)


def test_the_list_stays_small_and_its_damage_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path))
    known = tmp_path / known_files.NAME
    known.write_bytes(b"\xff\x00" * 1_000_000)
    for number in range(3):
        known_files.remember(f"{number:064}")
    assert known.stat().st_size <= known_files.MOST * 65
    assert known_files.is_known(f"{2:064}")
