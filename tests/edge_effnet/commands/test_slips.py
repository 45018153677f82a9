"""Slips of the hand on the command line: each ends in one line that names what was meant."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from edge_effnet.cli import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Models, an image and a folder of one, as in a user's working directory."""
    with files("edge_effnet").joinpath("assets", "demo", "b0-int8.tflite").open("rb") as model:
        (tmp_path / "m.tflite").write_bytes(model.read())
    cv2.imwrite(str(tmp_path / "p.jpg"), np.full((32, 32, 3), 90, np.uint8))
    shutil.copy(tmp_path / "p.jpg", tmp_path / "my p.jpg")
    (tmp_path / "photos" / "stop").mkdir(parents=True)
    shutil.copy(tmp_path / "p.jpg", tmp_path / "photos" / "stop")
    with h5py.File(tmp_path / "w.h5", "w") as weights:
        weights["layers/dense/vars/0"] = np.zeros((4, 2), np.float32)
    with h5py.File(tmp_path / "whole.dat", "w") as whole:
        whole.attrs["model_config"] = "{}"
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("covnert --variant b0", "did you mean convert?"),
        ("signs rendr x", "did you mean render?"),
        ("classify p.jpg m.tflite", "did you mean: edge-effnet classify m.tflite p.jpg?"),
        ("classify photos m.tflite", "did you mean: edge-effnet evaluate m.tflite --data photos?"),
        ("classify m.tflite photos", "did you mean: edge-effnet evaluate m.tflite --data photos?"),
        ("classify m.tflite photos/stop", "edge-effnet classify m.tflite photos/stop/*.jpg?"),
        ("classify m.tflite my p.jpg", "the path 'my p.jpg' has a space in it"),
        ("create photo", "did you mean photos?"),
        ("create photos --fro pi4", "create has no option --fro; did you mean --for?"),
        ("create photos extra", "put quotes around a path with a space"),
        ("create photos --out", "option '--out' requires an argument"),
        ("convert --variant b0 --resolution x", "'x' is not a valid integer"),
        ("convert --data my p.jpg", "did you mean 'my p.jpg'?"),
        ("evaluate m.tflite --data my p.jpg", "did you mean 'my p.jpg'?"),
        ("--hlep", "edge-effnet has no option --hlep; did you mean --help?"),
        ("classify p.jpg p.jpg", "p.jpg is an image, not a model"),
        ("evaluate p.jpg --data photos", "p.jpg is an image, not a model"),
        ("evaluate photos --data m.tflite", "did you mean --data photos?"),
        ("compare m.tflite photos --data photos", "did you mean --data photos?"),
        ("bench photos", "did you mean --data photos?"),
        ("evaluate m.tflite photos", "did you mean --data photos?"),
        ("compare m.tflite m.tflite photos", "did you mean --data photos?"),
        ("camera --model photos --source m.tflite", "did you mean --source photos?"),
        ("camera --model p.jpg --source photos", "p.jpg is an image, not a model"),
        ("doctor p.jpg", "p.jpg is an image, not a model"),
        ("convert --variant B0 --int8", "did you mean b0?"),
        ("variants v2b0", "did you mean v2-b0?"),
        ("train --data photos --variant EfficientNetV2-B0", "did you mean v2-b0?"),
        ("prune --variant lite-0 --data photos --target-macs 0.7", "did you mean lite0?"),
        ("convert m.tflite --int8", "did you mean --model m.tflite?"),
        ("convert w.h5 --int8", "did you mean --weights w.h5?"),  # weights alone, as its bytes say
        ("convert whole.dat --int8", "did you mean --model whole.dat?"),
        ("prune whole.dat", "did you mean --weights whole.dat?"),
        ("camera whole.dat --source p.jpg", "whole.dat is a whole Keras model"),
        ("camera photos --source p.jpg", "did you mean --source photos?"),
        ("camera 0 --source p.jpg", "did you mean --source 0?"),
        ("camera rtsp://me:secret@host/1 --source p.jpg", "an address is no model; did you mean"),
        ("camera m.tflite photos", "did you mean --source photos?"),
        ("camera m.tflite p.jpg", "did you mean --source p.jpg?"),
        ("camera m.tflite n.tflite", "compare with it: --compare n.tflite"),
        ("evaluate --model m.tflite photos", "did you mean --data photos?"),
        ("evaluate m.tflite photos --data photos", "takes no further argument"),
        ("convert missing.keras --int8", "did you mean --model missing.keras?"),
        ("convert b0 --int8", "did you mean --variant b0?"),
        ("train photos", "did you mean --data photos?"),
        ("convert --baseline ResNet-50 --int8", "did you mean resnet50?"),
        ("convert --variant b0 --weights ImageNet --int8", "did you mean imagenet?"),
        ("train --data photos --optimizer adam", "did you mean adamw?"),
        ("doctor --device Coral", "did you mean coral?"),
        ("bench m.tflite --device host.local", "did you mean NAME@host.local?"),
        ("bench m.tflite --device CPU", "did you mean cpu?"),
        ("convert --variant b0 --int8 --min-agreement 0.99", "--min-agreement 99, or"),
        ("convert --variant b0 --int8 --max-drop 0.005", "--max-drop 0.5 if a share"),
        ("convert --variant b0 --int8 --max-class-drop 0.1", "--max-class-drop 10 if a share"),
        ("convert --variant b0 --int8 --prune 30", "--prune 30% or --prune 0.3"),
        ("prune --variant b0 --data x --target-macs 70", "--target-macs 70%"),
        ("prune --variant b0 --data x --target-size 120%", "less than 1"),
        ("prune --variant b0 --data x --unstructured 80", "--unstructured 80% or"),
        ("scale --max-size 4", "--max-size 4M"),
        ("train --data photos --val-share 20", "--val-share 20% or --val-share 0.2"),
        ("camera --model m.tflite --threshold 60", "--threshold 60% or --threshold 0.6"),
        ("regress a.json b.json --max 5", "--max 5% or --max 0.05"),
        ("classify m.tflite p.jpg --preprocess mean=0.5,std=0.5", "mean=127.5,std=127.5"),
    ],
)
def test_a_slip_is_one_line_with_what_was_meant(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) in (1, 2)
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.usefixtures("folder")
def test_signs_are_accepted_where_shares_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("classify m.tflite p.jpg --preprocess crop=90% --json -".split()) == 0
    by_sign = capsys.readouterr().out
    assert run("classify m.tflite p.jpg --preprocess crop=0.9 --json -".split()) == 0
    assert capsys.readouterr().out == by_sign
