"""Compiled models through a real external delegate: the runtime loads it, asks it, runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.errors import ModelError
from edge_effnet.measure.delegation import delegation
from edge_effnet.measure.probe import probe
from edge_effnet.runtime import edgetpu
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.interpreter import open_interpreter
from tests.conftest import RunCommand
from tests.edge_effnet.edgetpu import build_library, compile_for_edgetpu

MakeModel = Callable[..., Path]


@pytest.fixture
def models(
    colour_model: MakeModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[Path, Path]]:
    """A model and the same one compiled, with the stand-in as libedgetpu."""
    monkeypatch.setenv(edgetpu.LIBRARY_VARIABLE, str(build_library(tmp_path)))
    plain = colour_model(weights=[[1, 0, 0.3], [0, 1, 0], [0.2, 0, 1]])
    yield plain, compile_for_edgetpu(plain)
    edgetpu._tried.clear()


def test_answers_are_those_of_the_file_before_compilation(models: tuple[Path, Path]) -> None:
    plain, compiled = (open_classifier(path) for path in models)
    random = np.random.default_rng(0)
    for _ in range(20):
        pixels = random.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        np.testing.assert_allclose(compiled.scores(pixels), plain.scores(pixels), rtol=1e-5)


def test_the_delegate_took_its_operator_and_nothing_else(models: tuple[Path, Path]) -> None:
    opened = open_interpreter(models[1], delegate=False)  # XNNPACK would take more
    taken = delegation(opened.interpreter)
    assert taken is not None
    assert (taken.operators, taken.delegated, taken.partitions) == (3, 1, 1)
    assert dict(taken.left) == {"MEAN": 1, "SOFTMAX": 1}
    with_xnnpack = delegation(open_interpreter(models[1]).interpreter)
    assert with_xnnpack is not None
    assert with_xnnpack.delegated == 3


def test_first_inference_and_memory_are_had_in_a_fresh_process(models: tuple[Path, Path]) -> None:
    found = probe(models[1])
    assert found.load_ms > 0
    assert found.first_ms > 0


def test_a_library_of_another_runtime_is_one_line(
    models: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(edgetpu.LIBRARY_VARIABLE, str(build_library(tmp_path, "CRASH")))
    with pytest.raises(ModelError, match=r"do not work together.*a crash \(SIGSEGV\)"):
        open_interpreter(models[1])


def test_no_device_and_no_library_are_one_line_each(
    edge_effnet: RunCommand, models: tuple[Path, Path], tmp_path: Path
) -> None:
    for library, said in (
        (build_library(tmp_path, "NO_DEVICE"), "libedgetpu opens no Edge TPU"),
        (tmp_path / "missing.so", "needs libedgetpu, which cannot be loaded"),
    ):
        env = {edgetpu.LIBRARY_VARIABLE: str(library)}
        done = edge_effnet("classify", models[1], "x.png", env=env)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert said in done.stderr
