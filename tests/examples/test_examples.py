"""The examples, each run as its own first lines say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.camera.conftest import MakeClip, clip  # noqa: F401 (a fixture)
from tests.edge_effnet.conftest import (  # noqa: F401 (fixtures)
    MakeModel,
    colour_folder,
    colour_model,
)

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def example(name: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        check=False,
    )


def test_every_example_is_short_and_says_how_to_run_it() -> None:
    assert len(EXAMPLES) >= 5
    for path in EXAMPLES:
        text = path.read_text()
        assert len(text.splitlines()) <= 40, path
        assert f"python examples/{path.name} " in text


def test_classify_folder(colour_model: MakeModel, colour_folder: Path) -> None:  # noqa: F811
    (colour_folder / "notes.txt").write_text("no image")
    done = example("classify_folder.py", colour_model(), colour_folder)
    assert done.returncode == 0, done.stderr
    assert "red: 10" in done.stdout.splitlines()[-1]
    assert re.search(r"0\.\d{3}  blue +.*blue/0.png", done.stdout)
    assert done.stderr.count("skipped: ") == 1


def test_camera_gpio(colour_model: MakeModel, clip: MakeClip) -> None:  # noqa: F811
    pytest.importorskip("gpiozero")
    video = clip(["green"] * 10 + ["red"] * 10 + ["blue"] * 10)
    weights = ((9, 0, 0), (0, 9, 0), (0, 0, 9))
    model = colour_model(weights=weights)
    done = example("camera_gpio.py", model, "red", "blue", video, GPIOZERO_PIN_FACTORY="mock")
    assert done.returncode == 0, done.stderr
    switched = [line.split(" s  ")[1] for line in done.stdout.splitlines()]
    assert switched == ["red on", "red off", "blue on"]
    wrong = example("camera_gpio.py", model, "rot", "blue", video, GPIOZERO_PIN_FACTORY="mock")
    assert "the model knows no rot; its labels: red, green, blue" in wrong.stderr


def test_camera_gpio_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "gpiozero.py").write_text("raise ImportError('as if it were not installed')")
    done = example("camera_gpio.py", PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert done.stderr.strip() == "gpiozero is not installed; to fix: pip install gpiozero"


def test_read_result(colour_model: MakeModel, cli: Cli, tmp_path: Path) -> None:  # noqa: F811
    result = tmp_path / "result.json"
    cli("bench", colour_model(), "--seconds", "0.2", "--json", result)
    done = example("read_result.py", result)
    assert done.returncode == 0, done.stderr
    assert re.search(r"colours.*: median \d+\.\d\d ms", done.stdout)
    problems = json.loads(result.read_text())["verdict"]["remarks"]
    assert ("not valid" in done.stdout) >= any(remark["invalid"] for remark in problems)


@pytest.mark.slow
def test_custom_recipe(colour_model: MakeModel, tmp_path: Path) -> None:  # noqa: F811
    done = example("custom_recipe.py", colour_model(), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "colours-float32.tflite",
        "colours-int8.tflite",
        "colours-int8-one-scale.tflite",
    ]


@pytest.mark.slow
def test_train_convert_compare(colour_folder: Path, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out"
    done = example("train_convert_compare.py", colour_folder, colour_folder, out, 1, 32)
    assert done.returncode == 0, done.stderr
    assert re.search(r"network-int8\.tflite: 0\.\d\d of the size", done.stdout)
    assert re.search(r"\d+\.\d % of the answers are those of the float network", done.stdout)
