"""Images that may hurt a data set, on the page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.report.page import render
from benchmarks.report.sources import read_sources
from edge_effnet.errors import DataError
from tests.benchmarks.conftest import Cli
from tests.edge_effnet.conftest import MakeModel


def evaluation(cli: Cli, model: Path, data: Path, out: Path, *options: object) -> Path:
    command = ("evaluate", model, "--data", data, "--suspects", "--json", out)
    assert cli(*command, *options)[0] == 0
    return out


def test_images_are_shown_with_both_labels(
    cli: Cli,
    colour_model: MakeModel,
    colour_folder: Path,
    tmp_path: Path,
) -> None:
    for number in range(4):
        (colour_folder / "red" / f"{number}.png").rename(colour_folder / "blue" / f"r{number}.png")
    shutil.copy(colour_folder / "green" / "4.png", colour_folder / "green" / "copy.png")
    model = colour_model()
    path = evaluation(cli, model, colour_folder, tmp_path / "found.json")
    wrong = len(json.loads(path.read_text())["suspects"]["likely_wrong"])
    assert wrong
    text = render(read_sources([path]), title="x")
    assert text.count("<s>blue</s> <b>red</b>") == wrong
    assert "One image several times" in text
    # Likely wrong ones, two copies, three of each class; and the mistakes.
    assert text.count("data:image/jpeg") == wrong + 2 + 9 + text.count('<b class="wrong">')

    aside = tmp_path / "aside"
    moved = evaluation(cli, model, colour_folder, tmp_path / "moved.json", "--move", aside)
    assert len(list(aside.rglob("*.png"))) == wrong
    shown = render(read_sources([moved]), title="x")
    assert shown.count("<s>blue</s> <b>red</b>") == wrong
    assert 'alt="the image"><figcaption><s>blue</s>' in shown  # from where it is now


def test_images_near_those_of_training_are_shown(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    path = evaluation(cli, colour_model(), colour_folder, tmp_path / "found.json")
    document = json.loads(path.read_text())
    file = str(colour_folder / "red" / "1.png")
    document["suspects"]["trained_on"] = {"copies": [], "near": [file] * 30}
    path.write_text(json.dumps(document))
    text = render(read_sources([path]), title="x")
    assert "Nearly the same as training images" in text
    assert text.count("data:image/jpeg") == 24 + 9  # and three of each class
    assert "6 more images in the JSON" in text


def test_of_many_copies_some_are_shown_one_of_each_label_first(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    path = evaluation(cli, colour_model(), colour_folder, tmp_path / "found.json")
    document = json.loads(path.read_text())
    file, labels = str(colour_folder / "red" / "1.png"), ["red"] * 29 + ["blue"]
    document["suspects"] |= {"copies": [{"files": [file] * 30, "labels": labels}], "worst": []}
    path.write_text(json.dumps(document))
    text = render(read_sources([path]), title="x")
    assert text.count("data:image/jpeg") == 6
    assert text.index("<b>blue</b>") < text.index("<b>red</b>", text.index("<b>red</b>") + 1)
    assert "24 more images in the JSON" in text


def test_of_a_clean_set_it_says_none(
    cli: Cli,
    colour_model: MakeModel,
    colour_folder: Path,
    tmp_path: Path,
) -> None:
    path = evaluation(cli, colour_model(), colour_folder, tmp_path / "found.json")
    text = render(read_sources([path]), title="x")
    assert "<p>None.</p>" in text
    assert "One image several times" not in text
    assert "training images" not in text
    document = json.loads(path.read_text())
    document["suspects"]["worst"] = [{"label": "red"}]
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="images: missing"):
        read_sources([path])
