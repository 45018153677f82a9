"""The page's part about an evaluation: its figures, thresholds and precision-recall curve."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report.conclusion import conclusions
from benchmarks.report.page import render
from benchmarks.report.sources import Sources, read_sources
from edge_effnet.errors import DataError
from tests.benchmarks.conftest import Cli
from tests.benchmarks.report.documents import Balanced
from tests.edge_effnet.conftest import MakeModel


@pytest.fixture
def document(cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path) -> Any:
    path = tmp_path / "e.json"
    asked = ("--recall", "red=0.9", "--precision", "blue=0.9", "--json", path)
    assert cli("evaluate", colour_model(), "--data", colour_folder, *asked)[0] == 0
    return json.loads(path.read_text())


def page_of(document: Any) -> str:
    return render(Sources((), (), (), (), (document,)), title="x")


def test_the_curve_and_the_thresholds_stand_on_the_page(document: Any) -> None:
    text = page_of(document)
    Balanced().feed(text)
    for words in (
        "Evaluation: colours",
        "Thresholds, chosen on 15 images and evaluated on the other 15",
        'aria-label="precision against recall"',
        "red, recall of 90 %, from a score of",
        "100.0 % (56.6 to 100.0), 5 of 5",
        "Confusion: colours",
        "cannot promise 90 %",
    ):
        assert words in text, words


def test_an_evaluation_without_thresholds_is_a_source_too(document: Any) -> None:
    del document["operating_points"]
    text = page_of(document)
    assert "Evaluation: colours" in text
    assert "Thresholds" not in text
    (line,) = conclusions(Sources((), (), (), (), (document,)))
    assert (line.tone, line.text) == (
        "open",
        "colours is right on 100.0 % (88.6 to 100.0) of 30 images; guessing would get 33.3 %.",
    )  # fmt: skip


def test_a_class_without_images_has_no_curve(document: Any) -> None:
    points = document["operating_points"]
    points["curves"] = []
    for point in points["points"]:
        point |= {"threshold": None, "evaluated_on": None, "outcome": "none", "conclusion": "no"}
    text = page_of(document)
    assert "precision against recall" not in text
    assert "red, recall of 90 %" in text


@pytest.mark.parametrize(
    ("outcome", "tone"), [("proven", "good"), ("missed", "bad"), ("open", "open")]
)
def test_an_outcome_has_its_tone(document: Any, outcome: str, tone: str) -> None:
    document["operating_points"]["points"][0]["outcome"] = outcome
    assert conclusions(Sources((), (), (), (), (document,)))[1].tone == tone


def test_images_that_were_learned_from_are_the_first_thing_said(document: Any) -> None:
    document["trained_on"] = {"line": "the network was trained on all 30 images"}
    (line,) = conclusions(Sources((), (), (), (), (document,)))
    assert line.tone == "bad"
    assert line.text.startswith("Evaluate colours on other images")
    assert '<p class="caution">the network was trained on all' in page_of(document)


def test_images_that_were_left_out_because_they_were_learned_from_spoil_nothing(
    document: Any,
) -> None:
    line = "the network was trained on 2 of 32 images: evaluated on 30, which it never saw"
    document["trained_on"] = {"is_evidence": True, "line": line}
    assert conclusions(Sources((), (), (), (), (document,)))[0].tone == "open"
    text = page_of(document)
    assert f"<li>{line}</li>" in text
    assert "caution" not in text.partition("</style>")[2]


def test_the_points_of_a_comparison(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    path, out = tmp_path / "c.json", tmp_path / "page.html"
    models = colour_model("float.tflite"), colour_model("int8.tflite")
    asked = ("--recall", "red=0.9", "--json", path)
    assert cli("compare", *models, "--data", colour_folder, *asked)[0] == 0
    assert cli("report", path, "-o", out)[0] == 0
    text = out.read_text()
    assert "The same thresholds on 15 images, chosen on the other 15 images with float" in text
    assert "not proven that int8.tflite keeps it" in text


@pytest.mark.parametrize("key", ["n", "labels"])
def test_a_damaged_evaluation_is_one_line(document: Any, key: str, tmp_path: Path) -> None:
    broken = copy.deepcopy(document)
    broken[key] = None
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    with pytest.raises(DataError, match=r"broken\.json is damaged.*evaluate the model again"):
        read_sources([tmp_path / "broken.json"])
