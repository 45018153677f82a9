"""The page: what stands on it, that it loads nothing, and that a browser shows it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from benchmarks.report import flipped_images
from benchmarks.report.conclusion import conclusions
from benchmarks.report.flipped_images import evidence_overlay, occlusion_map, thumbnail
from benchmarks.report.page import render
from benchmarks.report.sources import Sources, read_sources
from benchmarks.results.result import Result
from edge_effnet.errors import DataError
from edge_effnet.measure.validity import Remark, Validity
from edge_effnet.runtime.classifier import open_classifier
from tests.benchmarks.commands.test_bench import swapped
from tests.benchmarks.conftest import Cli, MakeResult
from tests.benchmarks.results.test_results import around, save

MakeModel = Callable[..., Path]
VOID = {"meta", "img", "br"}


class Balanced(HTMLParser):
    """Fails on a tag that is closed without being open, and remembers every reference."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.references += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page(cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path) -> Path:
    """A page of a real measurement with flipped images, and of the same comparison alone."""
    right, wrong = colour_model("right.tflite"), colour_model("wrong.tflite", swapped())
    result, comparison = tmp_path / "r.json", tmp_path / "c.json"
    data = ("--data", colour_folder)
    assert cli("bench", right, wrong, "--seconds", 0.05, *data, "--json", result)[0] == 0
    assert cli("compare", right, wrong, *data, "--json", comparison)[0] == 0
    out = tmp_path / "page.html"
    code, said, err = cli("report", result, comparison, "-o", out, "--title", "<Colours> & more")
    assert code == 0, err
    assert str(out) in said
    return out


def test_the_page_holds_everything_and_loads_nothing(page: Path) -> None:
    text = page.read_text()
    for words in (
        *("Latency", "Accuracy against latency", "Change by class", "Confusion"),
        *("Flipped images", "Machine and validity", "wrong against right"),
        *("evidence, reference", "10 → 0 of 10", "lost: only the reference is right"),
    ):
        assert words in text, words
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    images = [value for value in parser.references if not value.startswith("#")]  # of a plot
    assert images
    assert all(value.startswith("data:image/jpeg;base64,") for value in images)
    assert not re.search(r"https?://|@import|url\((?!#)|<script|<link", text)
    assert "&lt;Colours&gt; &amp; more" in text
    assert "<Colours>" not in text
    assert 'name="viewport"' in text
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(drawing)  # noqa: S314 (our own text)


def test_the_page_opens_in_a_browser(page: Path, tmp_path: Path) -> None:
    browser = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if browser is None:
        pytest.skip("no Chromium on PATH: the page is not looked at")
    shot, profile = tmp_path / "shot.png", tmp_path / "profile"
    flags = (
        "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --hide-scrollbars --window-size=500,1600"
    ).split()
    done = subprocess.run(
        [browser, *flags, f"--user-data-dir={profile}", f"--screenshot={shot}", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert shot.is_file(), done.stderr[-500:]
    pixels = cv2.imread(str(shot))
    assert pixels is not None
    assert pixels.shape[1] == 500
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100  # drawn, not an empty page


def test_an_existing_page_is_not_replaced(
    cli: Cli, tmp_path: Path, make_result: MakeResult
) -> None:
    source = save(tmp_path / "r.json", make_result({"a": around(1)}).to_json())
    out = tmp_path / "page.html"
    out.write_text("mine")
    assert cli("report", source, "-o", out)[0] == 1
    assert out.read_text() == "mine"
    assert cli("report", source, "-o", out, "--force")[0] == 0
    assert cli("report", source, "-o", tmp_path, "--force")[0] == 1


def test_conversions_and_series_are_shown(tmp_path: Path, make_result: MakeResult) -> None:
    conversion = {
        "format": "edge-effnet conversion",
        "version": 1,
        "models": [
            {"recipe": "float32", "file": "b0-float32.tflite", "size_bytes": 16_000_000}
            | {"latency_ms": 4.0, "comparison": None},
            {"recipe": "int8", "file": "b0-int8.tflite", "size_bytes": 5_000_000}
            | {"latency_ms": 2.0, "comparison": _comparison(flipped=[])},
        ],
    }
    one = make_result({"a": around(1)}).to_json()
    series = {"format": "edge-effnet/benchmark-series", "version": 1, "results": [one, one]}
    sources = read_sources(
        [save(tmp_path / "c.json", conversion), save(tmp_path / "s.json", series)]
    )
    assert (len(sources.results), len(sources.comparisons)) == (2, 1)
    text = render(sources, title="both")
    assert "b0-int8.tflite" in text
    assert "0.312" in text


def test_a_camera_run_is_drawn(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    run = ("camera", "--model", colour_model("a.tflite", swapped()), "--source", colour_folder)
    alone, both = tmp_path / "alone.json", tmp_path / "both.json"
    assert cli(*run, "--json", alone)[0] == 0
    compared = (*run, "--compare", colour_model("b.tflite"), "--truth", "folder", "--json", both)
    assert cli(*compared)[0] == 0
    sources = read_sources([alone, both])
    assert (len(sources.camera_runs), len(sources.comparisons)) == (2, 1)
    text = render(sources, title="x")
    Balanced().feed(text)
    assert text.count(f"Camera: {colour_folder.name}") == 2
    assert "<b>66.7 %</b> <small>of 30 frames in 3 scenes: too few for an interval</small>" in text
    assert "frame to frame" in text
    live = {**sources.camera_runs[0], "every_frame": False}
    assert "95 % under" in render(Sources((), (), (), (live,)), title="x")
    trained = {
        **sources.camera_runs[0],
        "trained_on": {"line": "no evidence: the network was trained"},
    }
    assert '<p class="caution">no evidence: the' in render(
        Sources((), (), (), (trained,)), title="x"
    )
    damaged = json.loads(alone.read_text())
    damaged["times"]["delay_ms"] = ["soon"]
    with pytest.raises(DataError, match="delay_ms"):
        read_sources([save(tmp_path / "damaged.json", damaged)])


def test_an_emulated_result_is_marked(make_result: MakeResult) -> None:
    result = make_result({"a": around(1)}, emulated="the process runs inside qemu-aarch64")
    text = render(Sources((result,), (), ()), title="x")
    assert "emulated CPU: no device" in text


def _comparison(**changes: Any) -> dict[str, Any]:
    flip = {"file": "gone.jpg", "kind": "lost", "true": "<b>", "reference": "<b>"}
    flip |= {"reference_score": 0.9, "candidate": "c", "candidate_score": 0.5}
    model = {"file": "x.tflite", "top1": 90.0, "per_class": [], "confusion": [[0, 0, 3], [0, 1, 1]]}
    return {
        "format": "edge-effnet/comparison",
        "version": 1,
        "n": 4,
        "reference": model,
        "candidate": model,
        "agreement": 75.0,
        "labels": ["<b>", "c"],
        "flipped": [flip],
        **changes,
    }


def test_an_image_that_is_gone_leaves_its_words() -> None:
    text = render(Sources((), (_comparison(),), ()), title="x")
    assert "gone.jpg" in text
    assert "<img" not in text
    assert "<b>c" not in text
    assert "&lt;b&gt;" in text


@pytest.mark.parametrize("key", ["mae", "exact_match"])
def test_figures_of_other_heads_are_shown_and_none_that_mean_nothing(key: str) -> None:
    models = {role: {"file": f"{role}.tflite", key: 1.25} for role in ("reference", "candidate")}
    document = _comparison(agreement=None, flipped=[], **models)
    for meaningless in ("drop_points", "drop_interval_points"):
        document.pop(meaningless, None)
    text = render(Sources((), (document,), ()), title="x")
    assert "1.2" in text
    assert "<dt>agreement" not in text
    assert "<dt>drop" not in text
    assert "<dt>top-1" not in text


def test_all_labels_of_an_answer_are_shown() -> None:
    flip = {"file": "gone.jpg", "kind": "lost", "true": "cat, dog", "reference": "cat, dog"}
    flip |= {"reference_score": 0.9, "candidate": "cat", "candidate_score": 0.5}
    head = {"kind": "multilabel", "outputs": 2, "threshold": 0.5}
    several = _comparison(head=head, labels=["cat", "dog"], flipped=[flip])
    assert render(Sources((), (several,), ()), title="x").count("cat, dog") == 2


def test_a_drop_from_a_reference_at_chance_is_not_shown() -> None:
    told = {"drop_points": 12.5, "drop_interval_points": [1.0, 20.0]}
    assert "12.5 points" in render(Sources((), (_comparison(**told),), ()), title="x")
    blind = _comparison(**told)
    blind["reference"] = {**blind["reference"], "at_chance": True}
    assert "12.5 points" not in render(Sources((), (blind,), ()), title="x")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"format": "edge-effnet/comparison", "version": 2}, "newer edge-effnet"),
        (_comparison(n=0), "n: 0 is under 1"),
        (_comparison(labels=[1]), r"labels\[0\]: 1 is no str"),
        ({"format": "edge-effnet conversion", "models": [{}]}, r"models\[0\].recipe: missing"),
        ({"format": "something"}, "nothing a report is made of"),
        ([1, 2], "nothing a report is made of"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, document: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_sources([save(tmp_path / "x.json", document)])
    torn = tmp_path / "torn.json"
    torn.write_text(json.dumps(document)[:-1] + ",")
    with pytest.raises(DataError, match="not JSON"):
        read_sources([torn])


def test_the_map_finds_the_evidence(colour_model: MakeModel, tmp_path: Path) -> None:
    image = np.full((4, 4, 3), 128, np.uint8)
    image[:2, :2] = (255, 0, 0)
    evidence = occlusion_map(open_classifier(colour_model()), image, 0, grid=4)
    assert evidence.shape == (4, 4)
    assert evidence[:2, :2].min() > evidence[2:, 2:].max()
    assert thumbnail(tmp_path / "missing.png") is None


def test_a_map_of_either_kind_is_laid_over_the_image(
    colour_model: MakeModel, colour_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, model = next(colour_folder.rglob("*.png")), colour_model()
    activation = evidence_overlay(image, model, 0, 3)
    monkeypatch.setattr(flipped_images, "_open_mapper", lambda _model: None)  # another ending
    occlusion = evidence_overlay(image, model, 0, 3)
    assert activation is not None
    assert occlusion is not None
    assert activation != occlusion
    assert evidence_overlay(image, model, 0, 4) is None  # another model by now


def first_words(*comparisons: dict[str, Any], result: Result | None = None) -> tuple[str, str]:
    found = conclusions(Sources((result,) if result else (), comparisons, ()))[0]
    return found.tone, found.text


def test_the_page_begins_with_what_to_do(make_result: MakeResult) -> None:
    result = make_result({"float": around(4), "int8": around(2)})
    tone, text = first_words(result=result)
    assert tone == "good"
    assert text.startswith("Use int8: 2.0 times as fast as float")
    assert "--data" in text
    assert first_words(result=make_result({"a": around(4), "b": around(4, 1)}))[0] == "open"
    assert "250 a second" in first_words(result=make_result({"a": around(4)}))[1]
    models = [{"sha256": f"{place:064x}", "top1": 80.0 - place} for place in range(2)]
    worse = {"candidate": {"sha256": f"{1:064x}"}, "drop_interval_points": [0.5, 1.5]}
    accuracy = {"models": models, "comparisons": [worse]}
    assert first_words(result=result.with_accuracy(accuracy))[1].startswith("Keep float")
    noisy = Validity((Remark("load", True, "other programs used 40 % of the CPU", "stop them"),))
    tone, text = first_words(result=replace(result, verdict=noisy))
    assert tone == "bad"
    assert "other programs used 40 % of the CPU; stop them." in text
    page = render(Sources((result,), (), ()), title="x")
    assert page.index("Use int8") < page.index("<main>") < page.index("<h2>")


@pytest.mark.parametrize(
    ("told", "tone", "words"),
    [
        ({"drop_points": 0.1, "drop_interval_points": [-0.2, 0.4]}, "good", "can replace x"),
        ({"drop_points": 9.0, "drop_interval_points": [5.0, 13.0]}, "bad", "--max-drop"),
        (
            {"drop_points": 0.0, "drop_interval_points": [-3.0, 3.0], "images_to_prove": 559},
            "open",
            "about 559 images would exclude one of 1 point",
        ),
        ({}, "open", "only labels can tell"),
        ({"value_difference": {"mean_abs": 0.25}}, "open", "differs from x by 0.25"),
        ({"trained_on": {"line": "it was trained on them"}}, "bad", "other images"),
    ],
)
def test_a_comparison_ends_in_advice(told: dict[str, Any], tone: str, words: str) -> None:
    found, text = first_words(_comparison(**told))
    assert found == tone
    assert words in text


def test_a_comparison_that_two_sources_hold_is_shown_once() -> None:
    both = (_comparison(), {**_comparison(), "notes": ["of bench"]})
    assert render(Sources((), both, ()), title="x").count("<h2>x against x") == 1


def test_without_its_extra_a_page_is_refused_in_one_line(
    cli: Cli, tmp_path: Path, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    source = save(tmp_path / "r.json", make_result({"a": around(1)}).to_json())
    code, _, err = cli("report", source, "-o", tmp_path / "page.html")
    assert code == 1
    assert "pip install 'edge-effnet[report]'" in err
    assert err.count("\n") == 1
