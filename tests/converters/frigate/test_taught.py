"""A file that was taught becomes a folder for Frigate: nothing is quantized anew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.artifact import read_artifact
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.tflite.reader import read_structure
from tests.conftest import Cli
from tests.converters.frigate.reading import FrigateReading

FrontDoor = tuple[Path, dict, str]


@pytest.fixture
def taught(
    cli: Cli,
    front_door: FrontDoor,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "cache"))
    path, base = tmp_path / "taught.tflite", front_door[0] / "model.tflite"
    assert cli("teach", photos, "--base", base, "--out", path)[0] == 0
    return path


def test_one_output_of_bytes_with_the_answers_of_the_taught_file(
    cli: Cli, taught: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "things"
    args = ("convert", "--model", taught, "--data", photos, "--for", "frigate", "--out", out)
    code, told, _ = cli(*args, "--json", "-")
    assert code == 0
    report = json.loads(told)
    assert report["models"][0]["file"] == str(out / "model.tflite")
    # In one byte, near-equal answers of this network may tie.
    assert report["models"][0]["comparison"]["agreement"] >= 95
    assert len(read_structure(taught).outputs) == 2
    reading, ours = FrigateReading(out), open_classifier(taught)
    (output,) = reading.outputs
    assert output["dtype"] == np.uint8
    for path in sorted(photos.rglob("*.png"))[:10]:
        pixels = read_image(path)
        scores = ours.scores(pixels)
        assert reading.shares(pixels) == pytest.approx(scores, abs=0.02)
    card = read_artifact(out / "model.tflite").card
    assert card is not None
    assert card.unknown is None
    assert card.steps[-1]["step"] == "written for frigate"


def test_it_must_have_been_taught_squashed(
    cli: Cli, front_door: FrontDoor, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "cache"))
    path, out = tmp_path / "taught.tflite", tmp_path / "things"
    told = ("--base", front_door[0] / "model.tflite", "--preprocess", "crop=0.9")
    assert cli("teach", photos, *told, "--out", path)[0] == 0
    code, _, said = cli("convert", "--model", path, "--for", "frigate", "--out", out)
    assert code == 1
    assert "was taught on photos in another shape than Frigate's" in said
    assert "edge-effnet teach photos/ --preprocess fit=squash,resize=linear --out" in said
    assert not out.exists()


@pytest.mark.parametrize(
    "given",
    [
        ("--min-agreement", "99"),
        ("--prune", "0.3"),
        ("--calibration-images", "50"),
        ("--eval-images", "50"),
        ("--seed", "1"),
        ("--head", "softmax"),
    ],
)
def test_options_of_a_conversion_are_refused(
    cli: Cli, taught: Path, tmp_path: Path, given: tuple[str, str]
) -> None:
    out = tmp_path / "things"
    code, _, said = cli("convert", "--model", taught, "--for", "frigate", "--out", out, *given)
    assert code == 2
    assert f"was taught and is int8 already; found {given[0]}" in said
    assert not out.exists()


def test_the_taught_file_is_not_replaced(cli: Cli, taught: Path, tmp_path: Path) -> None:
    out = tmp_path / "front_door"
    out.mkdir()
    path = taught.rename(out / "model.tflite")
    was = path.read_bytes()
    for force in ((), ("--force",)):
        code, _, said = cli("convert", "--model", path, "--for", "frigate", "--out", out, *force)
        assert code == 1
        assert "model.tflite is the model itself, and one of the files to write" in said
        assert [one.name for one in out.iterdir()] == ["model.tflite"]
        assert path.read_bytes() == was
