"""What ``convert`` refuses: one clear line, an exit code, no traceback, nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import RunCommand

Refused = Callable[..., str]

# The command, stopped where its files are made and none is written yet.
HANGS_IN_TIMING = """
import time
from converters import pipeline
from edge_effnet.cli import main

def hang(*_, **__):
    print("timing", flush=True)
    time.sleep(600)

pipeline.time_files = hang
main()
"""


@pytest.fixture
def refused(edge_effnet: RunCommand, tmp_path: Path) -> Refused:
    """Run convert, which must fail and leave ``out`` empty; returns the error line."""

    def run(*arguments: object, code: int = 1, env: dict[str, str] | None = None) -> str:
        out = tmp_path / "out"
        result = edge_effnet("convert", *arguments, "--out", out, env=env, cwd=tmp_path)
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1
        assert not out.exists()
        return lines[0]

    return run


@pytest.fixture
def source(converted: tuple[Path, dict]) -> Path:
    return converted[0] / "b0-phi-8-float32.tflite"


def test_a_truncated_model(refused: Refused, source: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(source.read_bytes()[:40_000])
    assert "cut.tflite is damaged or cut off" in refused("--model", cut, "--int8")


def test_an_empty_folder(refused: Refused, source: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    line = refused("--model", source, "--int8", "--data", tmp_path / "empty")
    assert "holds no images" in line


def test_one_class_only(refused: Refused, source: Path, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "class0").symlink_to(photos / "class0")
    line = refused("--model", source, "--int8", "--data", tmp_path / "one")
    assert "one class only" in line


def test_text_renamed_jpg_when_strict(
    refused: Refused, source: Path, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "calibration").mkdir()
    (tmp_path / "calibration" / "text.jpg").write_text("not an image")
    (tmp_path / "calibration" / "a.png").write_bytes(next(photos.rglob("*.png")).read_bytes())
    line = refused(
        *("--model", source, "--int8", "--strict"),
        *("--calibration", tmp_path / "calibration"),
    )
    assert "text.jpg is not a readable image" in line


def test_labels_that_do_not_fit(refused: Refused, source: Path, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("a\nb\n")
    line = refused("--model", source, "--int8", "--labels", tmp_path / "short.txt")
    assert "2 labels" in line
    assert "10" in line


def test_classes_the_network_does_not_have(
    refused: Refused, source: Path, photos: Path, tmp_path: Path
) -> None:
    for name in ("class0", "zebra"):
        (tmp_path / "data" / name).mkdir(parents=True)
        image = next(photos.rglob("*.png")).read_bytes()
        (tmp_path / "data" / name / "a.png").write_bytes(image)
    line = refused("--model", source, "--int8", "--data", tmp_path / "data")
    assert "'zebra'" in line


def test_an_already_quantized_model(
    refused: Refused, converted: tuple[Path, dict], photos: Path
) -> None:
    int8 = converted[0] / "b0-phi-8-int8.tflite"
    assert "quantized already" in refused("--model", int8, "--int8", "--data", photos)


def test_an_unwritable_place(edge_effnet: RunCommand, source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = edge_effnet(
        "convert", "--model", source, "--int8", "--out", tmp_path / "file" / "below"
    )
    assert result.returncode == 1
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_network_for_the_weights(refused: Refused, tmp_path: Path) -> None:
    closed = "http://127.0.0.1:9"  # discard: nothing listens there
    line = refused(
        *("--variant", "v2-b0", "--weights", "imagenet", "--int8"),
        env={
            "https_proxy": closed,
            "HTTPS_PROXY": closed,
            "EDGE_EFFNET_CACHE": str(tmp_path / "cache"),
        },
    )
    assert "efficientnetv2-b0" in line
    assert "--weights" in line


def test_neither_variant_nor_model(refused: Refused) -> None:
    assert "one of a variant, a model and a baseline" in refused("--int8", code=2)


def test_ctrl_c_leaves_nothing(converted: tuple[Path, dict], photos: Path, tmp_path: Path) -> None:
    source, out = converted[0] / "b0-phi-8-float32.tflite", tmp_path / "out"
    command = [sys.executable, "-c", HANGS_IN_TIMING, "convert", "--int8"]
    process = subprocess.Popen(
        [*command, "--model", source, "--data", photos, "--out", out],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "timing\n"
    assert list(out.glob(".edge-effnet-*/*.tflite"))
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in error
    assert "Traceback" not in error
    assert not out.exists()
