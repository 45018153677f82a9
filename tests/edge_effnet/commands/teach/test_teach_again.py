"""``teach --from``: a taught file with other classes, without the photos of those it has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.artifact import read_artifact
from edge_effnet.data.division.bursts import burst_name
from edge_effnet.teaching.backbone import open_backbone
from edge_effnet.teaching.remembered import remembered_collection
from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel, write_image


@pytest.fixture
def taught(cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path) -> Path:
    """A file that was taught red and green; their photos are gone, blue ones are in ``blue``."""
    base, path = colour_model("base.tflite", weights=np.zeros((3, 3))), tmp_path / "taught.tflite"
    colour_folder.joinpath("blue").rename(tmp_path / "blue")
    assert cli("teach", colour_folder, "--base", base, "--out", path)[0] == 0
    shutil.move(colour_folder, tmp_path / "elsewhere")
    return path


def labels_of(path: Path) -> tuple[str, ...]:
    card = read_artifact(path).card
    assert card is not None
    return card.labels


def test_a_class_is_added_from_its_photos_alone(cli: Cli, taught: Path, tmp_path: Path) -> None:
    out = tmp_path / "more.tflite"
    code, _, said = cli(
        "teach", "--from", taught, "--add", f"blue={tmp_path / 'blue'}", "--out", out
    )
    assert code == 0, said
    assert labels_of(out) == ("green", "red", "blue")
    shutil.move(tmp_path / "blue", tmp_path / "elsewhere" / "blue")
    code, told, _ = cli("evaluate", out, "--data", tmp_path / "elsewhere", "--json", "-")
    assert (code, json.loads(told)["top1"]) == (0, 100)


def test_adding_photos_again_changes_nothing(cli: Cli, taught: Path, tmp_path: Path) -> None:
    out = tmp_path / "same.tflite"
    red = tmp_path / "elsewhere" / "red"
    assert cli("teach", "--from", taught, "--add", f"red={red}", "--out", out)[0] == 0
    before, after = (read_artifact(path).card for path in (taught, out))
    assert before is not None
    assert after is not None
    assert after.steps[-1]["images_per_class"] == before.steps[-1]["images_per_class"]
    assert after.steps[-1]["classes"] == before.steps[-1]["classes"]


def test_a_class_is_renamed_and_one_taken_away(cli: Cli, taught: Path, tmp_path: Path) -> None:
    out, third = tmp_path / "more.tflite", tmp_path / "third.tflite"
    added = f"blue={tmp_path / 'blue'}"
    assert cli("teach", "--from", taught, "--add", added, "--out", out)[0] == 0
    changes = ("--rename", "blue=sky", "--remove", "red")
    assert cli("teach", "--from", out, *changes, "--out", third)[0] == 0
    assert labels_of(third) == ("green", "sky")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--add", "blue"), "takes two names with ="),
        (("--remove", "pink"), "there is no class 'pink'"),
        (("--remove", "red"), "needs two classes"),
        (("--rename", "red=green"), "there is a class 'green' already"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    cli: Cli, taught: Path, tmp_path: Path, options: tuple[str, ...], line: str
) -> None:
    out = tmp_path / "out.tflite"
    code, _, said = cli("teach", "--from", taught, *options, "--out", out)
    assert code != 0
    assert line in said.splitlines()[-1]
    assert not out.exists()


def test_features_that_are_kept_no_longer_are_named(
    cli: Cli, taught: Path, cache: Path, tmp_path: Path
) -> None:
    shutil.rmtree(cache)
    code, _, said = cli("teach", "--from", taught, "--out", tmp_path / "out.tflite")
    assert code == 1
    assert "missing in the cache" in said


def test_a_file_that_was_not_taught_is_no_beginning(
    cli: Cli, colour_model: MakeModel, tmp_path: Path
) -> None:
    plain = colour_model("plain.tflite")
    code, _, said = cli("teach", "--from", plain, "--out", tmp_path / "out.tflite")
    assert code == 1
    assert "does not say which photos it was taught" in said


def test_photos_of_one_press_stay_together_when_they_are_gone(
    cli: Cli, colour_model: MakeModel, tmp_path: Path
) -> None:
    random, photos, out = np.random.default_rng(2), tmp_path / "photos", tmp_path / "one.tflite"
    for name, presses in (("cup", range(3)), ("mug", range(3, 6))):
        for press in presses:
            for place in range(4):
                pixels = random.integers(0, 255, (40, 40, 3), dtype=np.uint8)
                write_image(photos / name / burst_name("20261129-101500", press, place), pixels)
    assert cli("teach", photos, "--base", colour_model("base.tflite"), "--out", out)[0] == 0
    shutil.rmtree(photos)
    backbone = open_backbone(out)
    again = remembered_collection(backbone.card, out, backbone)
    assert len(set(again.duplicates.group.tolist())) == 2 * 3
    third = tmp_path / "third.tflite"
    assert cli("teach", "--from", out, "--rename", "cup=beaker", "--out", third)[0] == 0
    cards = [read_artifact(path).card for path in (out, third)]
    bursts = [card.steps[-1]["bursts"] for card in cards if card is not None]
    assert bursts[0] == bursts[1]
    assert len(bursts[0]) == 6
