"""``edge-effnet demo``: offline, from the weights in the package to answers on an image."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from edge_effnet.artifact import read_artifact
from edge_effnet.data.demo import demo_model
from edge_effnet.data.signs.table import LABELS
from tests.conftest import RunCommand


@pytest.fixture(scope="module")
def shown(
    edge_effnet: RunCommand, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The demo, run once with every way out to a network closed."""
    out = tmp_path_factory.mktemp("demo") / "out"
    closed = "http://127.0.0.1:9"
    result = edge_effnet("demo", "--out", out, env={"https_proxy": closed, "http_proxy": closed})
    assert result.returncode == 0, result.stderr
    return out, result


def test_it_converts_compares_and_answers(
    shown: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, result = shown
    assert {path.name for path in out.iterdir()} == {
        "b0-float32.tflite",
        "b0-int8.tflite",
        "answers.jpg",
    }
    for word in ("agreement", "of 12 right", "Next", "signs print"):
        assert word in result.stdout
    image = cv2.imread(str(out / "answers.jpg"))
    assert image is not None
    assert image.shape[1] == 4 * 240


def test_the_card_says_that_these_are_demo_weights_evaluated_on_fresh_signs(
    shown: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    card = read_artifact(shown[0] / "b0-int8.tflite").card
    assert card is not None
    assert card.weights["kind"] == "demo"
    assert card.labels == LABELS
    assert card.measured is not None
    assert card.measured["data"] == "signs (test)"
    assert card.measured["agreement"] >= 90
    assert card.measured["reference"]["top1"] > 5 * 100 / len(LABELS)  # far beyond chance


def test_without_tensorflow_the_ready_model_is_used(tmp_path: Path) -> None:
    script = (
        "import sys, importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'tensorflow' else find(name, *a)\n"
        "sys.modules['tensorflow'] = None\n"
        "from edge_effnet.cli import run\n"
        f"sys.exit(run(['demo', '--out', {str(tmp_path / 'out')!r}]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "using the ready int8 model instead" in result.stderr
    assert "int8: " in result.stdout
    assert (tmp_path / "out" / "answers.jpg").is_file()


def test_the_ready_model_is_whole_and_full_integer() -> None:
    card = read_artifact(demo_model()).card
    assert card is not None
    assert card.labels == LABELS
    assert [step["step"] for step in card.steps] == ["trained", "exported", "quantized"]
    assert card.steps[-1]["recipe"]["name"] == "int8"


@pytest.mark.slow
def test_the_bare_convert_falls_back_to_the_demo_weights_and_says_so(
    edge_effnet: RunCommand, tmp_path: Path
) -> None:
    closed = "http://127.0.0.1:9"
    result = edge_effnet(
        *("convert", "--variant", "b0", "--int8", "--out", tmp_path / "out", "--eval-images", 64),
        env={"https_proxy": closed, "EDGE_EFFNET_CACHE": str(tmp_path / "cache")},
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert "demo" in result.stderr
    assert (tmp_path / "out" / "b0-int8.tflite").is_file()
