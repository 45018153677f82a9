"""A model's worst mistakes as images: ``evaluate --report``, and ``report`` of its JSON."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.report.page import render
from benchmarks.report.sources import read_sources
from edge_effnet.errors import DataError
from tests.benchmarks.commands.test_bench import swapped
from tests.benchmarks.conftest import Cli
from tests.benchmarks.report.documents import Balanced
from tests.benchmarks.results.test_results import save
from tests.edge_effnet.conftest import MakeModel, write_image

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def mistaken(cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path) -> Path:
    """The JSON of a model that takes two of three colours for each other."""
    path = tmp_path / "e.json"
    model = colour_model(weights=swapped())
    assert cli("evaluate", model, "--data", colour_folder, "--json", path)[0] == 0
    return path


def test_evaluate_draws_the_page_itself(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    page, path = tmp_path / "page.html", tmp_path / "e.json"
    command = ("evaluate", colour_model(weights=swapped()), "--data", colour_folder)
    code, out, _ = cli(*command, "--report", page, "--json", path)
    assert code == 0
    assert f"written to {page}" in out
    text = page.read_text()
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert all(value.startswith(("data:image/jpeg;base64,", "#")) for value in parser.references)
    wrong = json.loads(path.read_text())["mistakes"]["count"]
    assert f"{wrong} mistakes on 30 images" in text
    assert text.count('<b class="wrong">') == min(wrong, 24) == text.count("data:image/jpeg")
    assert "guessing would get" in text
    assert "Confusion: colours" in text


def test_a_page_that_is_there_is_refused_before_anything_is_evaluated(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    command = ("evaluate", colour_model(), "--data", colour_folder, "--report", page)
    code, out, err = cli(*command)
    assert (code, out) == (1, "")
    assert "already exists" in err
    assert page.read_text() == "mine"
    assert cli(*command, "--force")[0] == 0
    assert "every image is answered right" in page.read_text()


def test_without_its_extra_the_page_is_refused_before_anything_is_evaluated(
    cli: Cli,
    colour_model: MakeModel,
    colour_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    page = tmp_path / "page.html"
    code, out, err = cli("evaluate", colour_model(), "--data", colour_folder, "--report", page)
    assert (code, out, page.exists()) == (1, "", False)
    assert "pip install 'edge-effnet[report]'" in err


def test_mistakes_on_nearly_the_same_image_are_shown_once(mistaken: Path) -> None:
    document = json.loads(mistaken.read_text())
    worst = document["mistakes"]["worst"]
    for one in worst[1:4]:
        shutil.copy(worst[0]["file"], one["file"])
        one |= {"true": worst[0]["true"], "answer": worst[0]["answer"]}
    text = render(read_sources([save(mistaken, document)]), title="x")
    assert "and 3 nearly the same" in text
    assert text.count('<b class="wrong">') == len(worst) - 3


def test_images_that_are_gone_are_named_and_it_is_said_why(mistaken: Path) -> None:
    worst = json.loads(mistaken.read_text())["mistakes"]["worst"]
    Path(worst[0]["file"]).unlink()
    text = render(read_sources([mistaken]), title="x")
    assert "1 image is not shown: no readable file of the name in the JSON" in text
    assert text.count("data:image/jpeg") == len(worst) - 1


def test_names_and_labels_are_text_whatever_they_are(mistaken: Path, colour_folder: Path) -> None:
    """Of files, classes and models."""
    document: dict[str, Any] = json.loads(mistaken.read_text())
    worst = document["mistakes"]["worst"]
    named = colour_folder / f"{HOSTILE}.png"
    shutil.copy(worst[0]["file"], named)
    worst[0] |= {"file": str(named), "true": HOSTILE, "answer": "</figure><script>x</script>"}
    document["labels"][0] = "</svg><script>alert(2)</script>"
    document["file"] = HOSTILE
    document["warnings"] = ["<script>alert(3)</script>"]
    text = render(read_sources([save(mistaken, document)]), title="</title><script>")
    Balanced().feed(text)
    assert "<script" not in text
    assert not re.search(r"<img(?! src=\"data:image/jpeg;base64,)", text)
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in text


@pytest.mark.parametrize("name", ["a\0b.png", "a" * 5000, "", "."])
def test_names_that_no_file_can_have_are_gone_images(mistaken: Path, name: str) -> None:
    document = json.loads(mistaken.read_text())
    document["mistakes"]["worst"][0]["file"] = name
    text = render(read_sources([save(mistaken, document)]), title="x")
    assert "1 image is not shown" in text


def test_the_images_on_a_page_are_bounded(mistaken: Path) -> None:
    document = json.loads(mistaken.read_text())
    one = document["mistakes"]["worst"][0]
    document["mistakes"] = {
        "count": 5000,
        "worst": [{**one, "answer": f"class {number}"} for number in range(200)],
    }
    text = render(read_sources([save(mistaken, document)]), title="x")
    assert text.count("data:image/jpeg") == 24
    assert "4976 more mistakes." in text


def test_errors_of_values_are_shown_as_such(mistaken: Path) -> None:
    document = json.loads(mistaken.read_text())
    one = document["mistakes"]["worst"][0]
    value = {"file": one["file"], "true": "2", "answer": "9", "score": None, "true_score": None}
    document["mistakes"] = {"count": None, "worst": [value]}
    text = render(read_sources([save(mistaken, document)]), title="x")
    assert "Largest errors" in text
    assert "more mistakes" not in text


def test_a_damaged_list_is_one_line(mistaken: Path) -> None:
    document = json.loads(mistaken.read_text())
    document["mistakes"]["worst"] = [{"file": 3}]
    with pytest.raises(DataError, match=r"is damaged.*mistakes\.worst\[0\]"):
        read_sources([save(mistaken, document)])


def test_evaluations_of_before_have_no_such_part(mistaken: Path, tmp_path: Path) -> None:
    document = json.loads(mistaken.read_text())
    del document["mistakes"]
    assert "Worst mistakes" not in render(
        read_sources([save(tmp_path / "old.json", document)]), title="x"
    )


def test_a_large_photo_becomes_a_small_one(mistaken: Path) -> None:
    document = json.loads(mistaken.read_text())
    file = Path(document["mistakes"]["worst"][0]["file"])
    noise = np.random.default_rng(0).integers(0, 255, (1500, 2000, 3), dtype=np.uint8)
    write_image(file, noise)
    text = render(read_sources([mistaken]), title="x")
    assert max(map(len, re.findall(r'src="(data:[^"]*)"', text))) < 60_000
