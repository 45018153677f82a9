"""Every command says which classes it found and what it left out, and asks where it cannot know."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.artifact import read_artifact, write_artifact
from edge_effnet.data.division.trained_on import record
from edge_effnet.data.listing import load_dataset
from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
PIXELS = ("--preprocess", "crop=0.9,mean=0,std=1")


@pytest.fixture
def bare(colour_model: MakeModel) -> Path:
    """A model that names none of its classes: red, green, blue."""
    return colour_model("bare.tflite", labels=None)


@pytest.mark.parametrize("verb", ["evaluate", "compare", "camera"])
def test_what_is_left_out_is_told(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path, verb: str
) -> None:
    (colour_folder / "red" / "IMG_1.jpg").write_bytes(HEIC)
    (colour_folder / "empty").mkdir()
    model, report = colour_model(), tmp_path / "report.json"
    arguments = {
        "evaluate": ("evaluate", model, "--data", colour_folder),
        "compare": ("compare", model, model, "--data", colour_folder),
        "camera": ("camera", "--model", model, "--source", colour_folder, "--quiet"),
    }[verb]
    code, _, err = cli(*arguments, "--json", report)
    assert code == 0
    assert "left out: HEIC images (1, first" in err
    assert "export them as JPEG" in err
    kinds = [entry["kind"] for entry in json.loads(report.read_text())["left_out"]]
    assert kinds == ["HEIC images", "class folders without images"]
    if verb != "camera":
        assert "30 images, 3 classes: red (10), green (10), blue (10)" in err


def test_a_picture_that_opencv_does_not_read_has_a_remedy(
    cli: Cli, colour_model: MakeModel, tmp_path: Path
) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(HEIC)
    model = colour_model()
    for arguments in (
        ("classify", model, tmp_path / "IMG_1.HEIC"),
        ("camera", "--model", model, "--source", tmp_path / "IMG_1.HEIC"),
    ):
        code, _, err = cli(*arguments)
        assert code == 1
        assert "is a HEIC image, which OpenCV does not read" in err
        assert "export them as JPEG" in err


def test_numbered_folders_are_asked_about(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    """Twelve outputs, and three of the twelve folders 0 … 11 hold red, green and blue."""
    weights = np.zeros((12, 3))
    weights[[0, 2, 3]] = np.eye(3)
    for number in range(12):
        (colour_folder / str(number)).mkdir()
    for number, colour in enumerate(("red", "green", "blue")):
        for place, image in enumerate(sorted((colour_folder / colour).iterdir())):
            folder = ("0", "2", "3")[number] if place else str((1, 4, 5)[number])
            image.rename(colour_folder / folder / f"{colour}{place}.png")
        (colour_folder / colour).rmdir()
    for number in range(6, 12):  # every class has an image
        image = next((colour_folder / "0").iterdir())
        (colour_folder / str(number) / "copy.png").write_bytes(image.read_bytes())
    model = colour_model("numbers.tflite", weights, labels=None)
    asked = ("evaluate", model, "--data", colour_folder, *PIXELS, "--json", "-")
    code, out, err = cli(*asked)
    assert (code, out) == (1, "")
    assert "can be read in two ways" in err
    recall = {}
    for word in ("folders", "numbers"):
        code, out, _ = cli(*asked, "--labels", word)
        assert code == 0
        document = json.loads(out)
        recall[word] = {row["label"]: row["recall"] for row in document["per_class"]}
    assert recall["numbers"]["2"] == recall["numbers"]["3"] == 1
    assert recall["folders"]["2"] == recall["folders"]["3"] == 0


def test_a_model_without_names_is_told_those_of_the_data(
    cli: Cli, bare: Path, colour_folder: Path
) -> None:
    code, out, err = cli("evaluate", bare, "--data", colour_folder, *PIXELS, "--json", "-")
    assert code == 0
    assert "taken to be those of" in err
    assert "in the order blue, green, red" in err
    assert json.loads(out)["labels"] == ["blue", "green", "red"]


def test_a_truth_that_matches_nothing_says_so(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "truth.csv").write_text("frame,label\n999,red\n")
    code, out, _ = cli(
        *("camera", "--model", colour_model(), "--source", colour_folder, "--quiet"),
        *("--truth", tmp_path / "truth.csv"),
    )
    assert code == 0
    assert "--truth says nothing of any of the 30 frames" in " ".join(out.split())


def test_nothing_is_proven_by_images_a_model_was_trained_on(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    model = colour_model()
    proofs = ("compare", model, colour_model("other.tflite"), "--data", colour_folder)
    assert "proven: the drop is at most" in cli(*proofs)[1]
    learned = {"images": record(load_dataset(colour_folder), None)}
    card = read_artifact(model).card
    assert card is not None
    steps = ({"step": "trained", "data": learned},)
    write_artifact(model, model.read_bytes(), replace(card, steps=steps), overwrite=True)
    _, out, _ = cli(*proofs)
    assert out.startswith("no evidence: the network was trained on all 30 images")
    assert "nothing is proven: the network was trained on these images" in out
    assert "proven: the drop" not in out
