"""The page: what stands on it, that it loads nothing, and that a browser shows it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from benchmarks.report.page import render
from benchmarks.report.sources import Sources, read_sources
from edge_effnet.errors import DataError
from edge_effnet.measure.validity import Remark, Validity
from tests.benchmarks.commands.test_bench import swapped
from tests.benchmarks.conftest import Cli, MakeResult
from tests.benchmarks.report.documents import Balanced, comparison_json
from tests.benchmarks.results.test_results import around, save

MakeModel = Callable[..., Path]


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
            | {"latency_ms": 2.0, "comparison": comparison_json(flipped=[])},
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
    assert "No frame was kept for its answer" in text
    live = {**sources.camera_runs[0], "every_frame": False, "reopened": 1}
    shown = render(Sources((), (), (), (live,)), title="x")
    assert "slowest 5 %: over" in shown
    assert "<b>1 time</b>" in shown
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


def test_frames_whose_class_viewers_told_are_drawn_by_class(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run.json"
    run = ("camera", "--model", colour_model("a.tflite"), "--source", colour_folder)
    assert cli(*run, "--json", path)[0] == 0
    row = {"label": "<b>stop", "frames": 20, "right": 17}
    told = {
        "frames": 20,
        "right": 17,
        "accuracy_interval": [64.0, 94.8],
        "accuracy_scenes": 20,
        "reference_accuracy": 90.0,
        "reference_accuracy_scenes": 2,
        "by_class": [{**row, "reference_frames": 10, "reference_right": 9}],
    }
    document = json.loads(path.read_text())
    text = render(read_sources([save(path, {**document, "told": told})]), title="x")
    Balanced().feed(text)
    assert "<b>85.0 %</b> <small>64.0 to 94.8, of 20 frames in 20 scenes</small>" in text
    assert "<b>90.0 %</b> <small>of 10 frames in 2 scenes: too few for an interval" in text
    assert "&lt;b&gt;stop</th><td><b>17 of 20 (85 %)</b></td><td>9 of 10 (90 %)" in text
    with pytest.raises(DataError, match="by_class"):
        read_sources([save(path, {**document, "told": {**told, "by_class": 3}})])


def test_why_a_result_is_not_valid_stands_beside_the_badge(make_result: MakeResult) -> None:
    result = make_result({"a": around(1), "b": around(2)})
    busy = Validity((Remark("load", True, "other programs used <40> % of the CPU", "stop them"),))
    few = Validity((Remark("few", True, "3 samples", "measure longer"),))
    cases = (result.cases[0], replace(result.cases[1], verdict=few))
    spoiled = replace(result, verdict=busy, cases=cases)
    header = render(Sources((spoiled,), (), ()), title="x").partition("</header>")[0]
    told = re.sub(r"<[^>]*>", "", header.partition('class="badge bad">')[2])
    assert "not valid other programs used &lt;40&gt; % of the CPU; b: 3 samples · " in told
    good = render(Sources((result,), (), ()), title="x").partition("</header>")[0]
    assert "reason" not in good.partition("</style>")[2]


def test_columns_have_names_that_everybody_knows(make_result: MakeResult) -> None:
    text = render(Sources((make_result({"a": around(1)}),), (), ()), title="x")
    assert '<th class="n">slowest 5 %</th>' in text
    assert "<dt>slowest 1 %</dt>" in text
    assert not re.search(r">9[059] %<", text)


def test_frames_that_were_kept_are_shown_and_those_nearly_the_same_once(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    path, kept = tmp_path / "run.json", tmp_path / "kept"
    run = ("camera", "--model", colour_model(), "--source", colour_folder)
    assert cli(*run, "--save", "red", "--save-to", kept, "--json", path)[0] == 0
    document = json.loads(path.read_text())
    saved = document["saved"]
    assert {Path(one["file"]) for one in saved} == set(kept.rglob("*.jpg")) != set()
    assert {one["label"] for one in saved} == {"red"}
    text = render(read_sources([path]), title="x")
    Balanced().feed(text)
    assert "Frames that were kept" in text
    assert text.count("data:image/jpeg") == len(saved)

    for number in range(4):
        shutil.copy(saved[0]["file"], kept / f"{number}.jpg")
    document["saved"] = [{**saved[0], "file": str(kept / f"{number}.jpg")} for number in range(4)]
    text = render(read_sources([save(path, document)]), title="x")
    assert "and 3 nearly the same" in text
    assert text.count("data:image/jpeg") == 1
    shutil.rmtree(kept)
    assert "4 images are not shown" in render(read_sources([path]), title="x")


def test_neighbouring_frames_that_two_models_answer_differently_are_shown_once(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        shutil.copy(colour_folder / "blue" / "0.png", colour_folder / "blue" / f"{number}.png")
    path = tmp_path / "run.json"
    models = ("--model", colour_model("a.tflite", swapped()), "--compare", colour_model("b.tflite"))
    run = ("camera", *models, "--source", colour_folder, "--truth", "folder")
    assert cli(*run, "--json", path)[0] == 0
    document = json.loads(path.read_text())
    flips = document["flipped"]
    text = render(read_sources([path]), title="x", maps=0)
    assert text.count('<article class="flip') == len(flips) - 3
    assert "and 3 nearly the same" in text
    for number, flip in enumerate(flips):  # of a feed whose frames were not kept
        flip["file"] = f"clip.mp4#{number}"
    text = render(read_sources([save(tmp_path / "feed.json", document)]), title="x")
    ways = {(one["kind"], one["true"], one["reference"], one["candidate"]) for one in flips}
    assert text.count('<article class="flip') == len(ways)
    assert "10 frames are answered so" in text


def test_an_emulated_result_is_marked(make_result: MakeResult) -> None:
    result = make_result({"a": around(1)}, emulated="the process runs inside qemu-aarch64")
    text = render(Sources((result,), (), ()), title="x")
    assert "emulated CPU: no device" in text


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"format": "edge-effnet/comparison", "version": 2}, "newer edge-effnet"),
        (comparison_json(n=0), "n: 0 is under 1"),
        (comparison_json(labels=[1]), r"labels\[0\]: 1 is no str"),
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


def test_without_its_extra_a_page_is_refused_in_one_line(
    cli: Cli, tmp_path: Path, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    source = save(tmp_path / "r.json", make_result({"a": around(1)}).to_json())
    code, _, err = cli("report", source, "-o", tmp_path / "page.html")
    assert code == 1
    assert "pip install 'edge-effnet[report]'" in err
    assert err.count("\n") == 1
