"""``evaluate --suspects``: images that may hurt, and moving them aside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel, write_image


@pytest.fixture
def data(colour_folder: Path) -> Path:
    """A red photo among the blue, and a green one under red too."""
    (colour_folder / "red" / "3.png").rename(colour_folder / "blue" / "wrong.png")
    shutil.copy(colour_folder / "green" / "4.png", colour_folder / "red" / "copy.png")
    return colour_folder


def test_wrong_labels_and_copies_are_named_likeliest_first(
    cli: Cli, colour_model: MakeModel, data: Path
) -> None:
    code, out, _ = cli("evaluate", colour_model(), "--data", data, "--suspects", "--json", "-")
    found = json.loads(out)["suspects"]
    assert code == 0
    assert found["images"] == 31
    wrong = {Path(one["file"]).name: one for one in found["likely_wrong"]}
    assert wrong.keys() == {"wrong.png", "copy.png"}
    assert (wrong["wrong.png"]["label"], wrong["wrong.png"]["likely"]) == ("blue", "red")
    assert wrong["wrong.png"]["likely_probability"] > 0.9
    copied = found["copies"][0]
    assert {Path(name).name for name in copied["files"]} == {"4.png", "copy.png"}
    assert set(copied["labels"]) == {"green", "red"}
    (blue,) = (one for one in found["worst"] if one["label"] == "blue")
    assert Path(blue["images"][0]["file"]).name == "wrong.png"
    assert (found["given"], found["trained_on"], found["moved"]) == (31, None, None)


def test_copies_of_what_the_model_learned_from_are_named_too(
    cli: Cli, taught_model: Path, tmp_path: Path
) -> None:
    """Those are not evaluated on, so that a contradiction among them would not be seen."""
    photos, random = tmp_path / "photos", np.random.default_rng(3)
    shutil.copy(photos / "green" / "4.png", photos / "red" / "copy.png")
    large = cv2.resize(cv2.imread(str(photos / "red" / "2.png")), None, fx=8, fy=8)
    assert cv2.imwrite(str(photos / "red" / "large.png"), large)
    for place, colour in enumerate(("red", "green")):
        pixels = random.integers(0, 60, (9, 12, 3), dtype=np.uint8)
        pixels[:, :, place] += 150
        write_image(photos / colour / "new.png", pixels)
    command = ("evaluate", taught_model, "--data", photos, "--suspects")
    code, out, _ = cli(*command, "--json", "-")
    found = json.loads(out)["suspects"]
    assert (code, found["images"], found["given"]) == (0, 2, 24)
    labels = [set(one["labels"]) for one in found["copies"]]
    assert labels == [{"green", "red"}, {"red"}]
    assert len(found["trained_on"]["copies"]) == 21
    assert [Path(name).name for name in found["trained_on"]["near"]] == ["large.png"]
    _, out, _ = cli(*command)
    assert "the model was trained on 21 of these images; nearly the same as one that" in out


def test_people_read_what_machines_do(cli: Cli, colour_model: MakeModel, data: Path) -> None:
    code, out, _ = cli("evaluate", colour_model(), "--data", data, "--suspects")
    assert code == 0
    assert "likely wrong labels: 2 of 31 images" in out
    assert "1 of them under different labels" in out
    assert "wrong.png" in out


def test_they_are_moved_aside_and_none_is_lost(
    cli: Cli, colour_model: MakeModel, data: Path, tmp_path: Path
) -> None:
    aside, before = tmp_path / "aside", {p.read_bytes() for p in data.rglob("*.png")}
    command = ("evaluate", colour_model(), "--data", data, "--suspects", "--move", aside)
    assert cli(*command)[0] == 0
    assert {str(path.relative_to(aside)) for path in aside.rglob("*.png")} == {
        "blue/wrong.png",
        "red/copy.png",
    }
    assert {p.read_bytes() for p in tmp_path.rglob("*.png")} == before
    code, out, _ = cli(*command, "--json", "-")
    assert (code, json.loads(out)["suspects"]["moved"]) == (0, [])


def test_nothing_is_replaced_by_moving(
    cli: Cli, colour_model: MakeModel, data: Path, tmp_path: Path
) -> None:
    there = tmp_path / "aside" / "blue" / "wrong.png"
    there.parent.mkdir(parents=True)
    there.write_text("mine")
    code, _, err = cli(
        "evaluate", colour_model(), "--data", data, "--suspects", "--move", tmp_path / "aside"
    )
    assert code == 1
    assert "cannot be moved" in err
    assert there.read_text() == "mine"
    assert (data / "blue" / "wrong.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--move", "aside"), "add --suspects"),
        (("--suspects", "--move", "inside"), "lies in the data set"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    cli: Cli, colour_model: MakeModel, data: Path, options: tuple[str, ...], said: str
) -> None:
    given = [str(data / "aside") if one == "inside" else one for one in options]
    code, _, err = cli("evaluate", colour_model(), "--data", data, *given)
    assert code != 0
    assert said in err.splitlines()[-1]


def test_images_that_a_file_lists_are_not_moved(
    cli: Cli, colour_model: MakeModel, data: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"file,label\n{data / 'red' / '1.png'},red\n")
    code, _, err = cli(
        "evaluate", colour_model(), "--data", table, "--suspects", "--move", tmp_path / "aside"
    )
    assert code == 1
    assert "are not moved" in err


def test_a_model_that_answers_several_labels_has_no_likely_class(
    cli: Cli, colour_model: MakeModel, data: Path
) -> None:
    model = colour_model("logits.tflite", end=None)
    command = ("evaluate", model, "--data", data, "--head", "multilabel-logits", "--suspects")
    code, _, err = cli(*command)
    assert code == 2
    assert "by the probabilities of classes; found a multilabel-logits head" in err
