"""A float model exported in a process that ends: the same model, the same errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from converters.float_model.apart import described, open_apart, rebuilt
from converters.float_model.choice import ModelChoice
from converters.float_model.source import Source
from edge_effnet.architecture.files import write_variant
from edge_effnet.errors import DataError, EdgeEffnetError, MissingExtra, ModelError, WeightsError
from edge_effnet.runtime.crash import RuntimeDied
from edge_effnet.runtime.interpreter import open_bytes
from tests.converters.conftest import TINY

PROGRAM = """
import sys
import converters

converters.convert(sys.argv[1], weights="random", resolution=32, out=sys.argv[2], threads=1)
print("tensorflow" in sys.modules, "keras" in sys.modules)
"""


@pytest.fixture
def own(tmp_path: Path) -> ModelChoice:
    import keras

    image = keras.Input((32, 32, 3))
    values = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(image))
    values = keras.layers.GlobalAveragePooling2D()(values)
    path = tmp_path / "own.keras"
    keras.Model(image, keras.layers.Dense(3, activation="softmax")(values)).save(path)
    return ModelChoice(file=path, labels=("a", "b", "c"))


@pytest.fixture
def variant(tmp_path: Path) -> Path:
    write_variant(tmp_path / "tiny.json", TINY)
    return tmp_path / "tiny.json"


def test_what_comes_of_it_is_what_comes_of_it_here(own: ModelChoice) -> None:
    here, apart = own.open_here(), open_apart(own)
    assert apart is not None
    assert apart.evidence is not None
    told = {field.name for field in fields(Source)} - {"model", "structure", "steps"}
    for name in sorted(told):
        assert getattr(apart, name) == getattr(here, name), name
    image = np.linspace(0, 255, 32 * 32 * 3, dtype=np.float32).reshape(1, 32, 32, 3)
    np.testing.assert_array_equal(*(_answer(source, image) for source in (apart, here)))


def _answer(source: Source, image: np.ndarray) -> np.ndarray:
    interpreter = open_bytes(source.model)
    interpreter.set_tensor(source.structure.inputs[0], image)
    interpreter.invoke()
    return interpreter.get_tensor(source.structure.outputs[0])


def test_whoever_calibrates_holds_no_tensorflow(variant: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(variant), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False False"
    assert len(list((tmp_path / "out").glob("*-int8.tflite"))) == 1


def test_its_error_is_the_same(variant: Path) -> None:
    choice = ModelChoice(variant=str(variant), weights="nowhere.h5")
    with pytest.raises(WeightsError) as here:
        choice.open_here()
    with pytest.raises(WeightsError) as apart:
        open_apart(choice)
    assert str(apart.value) == str(here.value)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DataError("no image", found="none", fix="add some"), DataError),
        (MissingExtra("keras", "train", "building a network"), MissingExtra),
        (RuntimeDied("SIGILL", "of this machine", "a wheel"), ModelError),
        (PermissionError(13, "Permission denied", "weights.h5"), PermissionError),
        (MemoryError(), MemoryError),
        (ZeroDivisionError("division by zero"), RuntimeError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_an_error_survives_its_description(error: Exception, kind: type[Exception]) -> None:
    again = rebuilt(json.loads(json.dumps(described(error))))
    assert type(again) is kind
    if isinstance(error, EdgeEffnetError | OSError):
        assert str(again) == str(error)
    elif str(error):
        assert str(again) == "ZeroDivisionError: division by zero"


@contextmanager
def _exporting(variant: Path, out: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A conversion, and the number of the process that exports for it."""
    command = ("convert", "--variant", variant, "--weights", "random", "--int8", "--out", out)
    with subprocess.Popen(
        [sys.executable, "-m", "edge_effnet", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (numbers := children.read_text().split()):
            time.sleep(0.01)
        yield process, int(numbers[0])


def test_a_process_that_is_killed_is_one_line(variant: Path, tmp_path: Path) -> None:
    with _exporting(variant, tmp_path / "out") as (process, child):
        os.kill(child, signal.SIGKILL)
        errors = process.communicate()[1]
    assert process.returncode == 1
    assert errors.splitlines()[-1].startswith(f"error: the export of {TINY.name} did not end")
    assert "SIGKILL" in errors
    assert not (tmp_path / "out").exists()


def test_ctrl_c_ends_both(variant: Path, tmp_path: Path) -> None:
    with _exporting(variant, tmp_path / "out") as (process, child):
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not Path(f"/proc/{child}").exists()
