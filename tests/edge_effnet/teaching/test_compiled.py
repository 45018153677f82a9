"""A file compiled for the Edge TPU whose last layer stayed on the CPU is taught on the device."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.artifact import read_artifact, split_archive, write_artifact
from edge_effnet.runtime import edgetpu
from edge_effnet.tflite.new_end import NewOperator, with_new_end
from edge_effnet.tflite.reader import read_structure
from tests.conftest import Cli
from tests.edge_effnet.conftest import COLOURS
from tests.edge_effnet.edgetpu import build_library, compile_for_edgetpu

MakeModel = Callable[..., Path]


@pytest.fixture
def compiled(colour_model: MakeModel) -> Path:
    """All in one operator of the device."""
    return compile_for_edgetpu(colour_model("whole.tflite"))


@pytest.fixture
def teachable(compiled: Path, tmp_path: Path) -> Path:
    """The same with a dense layer behind that operator, which knows nothing."""
    structure = read_structure(compiled)
    (features,) = next(op for op in structure.operators if op.custom_options).outputs
    weights, bias = np.zeros((3, 3), np.float32), np.zeros(3, np.float32)
    behind = [
        NewOperator("FULLY_CONNECTED", features, "logits", (1, 3), (weights, bias)),
        NewOperator("SOFTMAX", "logits", "scores", (1, 3)),
    ]
    model, _ = split_archive(compiled.read_bytes())
    card = read_artifact(compiled).card
    assert card is not None
    path = tmp_path / "teachable.tflite"
    made = with_new_end(model, structure, features, behind, ["scores"])
    write_artifact(path, made, replace(card, labels=COLOURS))
    return path


def test_its_last_layer_is_exchanged(
    cli: Cli,
    teachable: Path,
    colour_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edgetpu, "_tried", type(edgetpu._tried)())
    monkeypatch.setenv(edgetpu.LIBRARY_VARIABLE, str(build_library(tmp_path)))
    out = tmp_path / "mine.tflite"
    code, _, err = cli("teach", colour_folder, "--base", teachable, "--out", out)
    assert code == 0, err
    code, told, _ = cli("evaluate", out, "--data", colour_folder, "--json", "-")
    assert (code, json.loads(told)["top1"]) == (0, 100)
    before, after = read_structure(teachable), read_structure(out)
    programs = [next(op for op in one.operators if op.custom_options) for one in (before, after)]
    assert programs[0] == programs[1]


@pytest.mark.parametrize(
    ("whole", "message"),
    [(True, "is compiled for the Edge TPU with its last layer"), (False, "needs libedgetpu")],
)
def test_without_a_device_or_a_layer_it_is_one_line(
    cli: Cli,
    compiled: Path,
    teachable: Path,
    colour_folder: Path,
    tmp_path: Path,
    whole: bool,
    message: str,
) -> None:
    base = compiled if whole else teachable
    out = tmp_path / "mine.tflite"
    code, told, err = cli("teach", colour_folder, "--base", base, "--out", out, "--json", "-")
    assert (code, told) == (1, "")
    assert message in err
    assert err.count("\n") == 1
