"""Kept frames and learning, as the page asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.camera.collecting.collector import Collector
from edge_effnet.camera.collecting.review import Review
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.frames import Region
from edge_effnet.camera.learning.learner import Learner
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.page.controls import Kept
from edge_effnet.camera.outputs.page.server import Server
from edge_effnet.image.preprocessing import Preprocess
from tests.edge_effnet.camera.conftest import jpeg, plain
from tests.edge_effnet.camera.outputs.page.conftest import get, post, serving

LABELS = ("blue", "green", "red")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    kept = tmp_path / "kept"
    (kept / "to-label").mkdir(parents=True)
    (kept / "to-label" / "a.jpg").write_bytes(jpeg(plain("red")))
    return kept


@pytest.fixture
def server(folder: Path, tmp_path: Path) -> Iterator[Server]:
    taps = Taps(LABELS, may_add=True)
    collector = Collector(
        folder,
        labels=LABELS,
        region=Region(),
        preprocess=Preprocess(96, 96),
        taps=taps,
        most=100,
        floor=DiskFloor(0),
        say=lambda _: None,
    )
    learner = Learner([tmp_path / "mine.tflite"], folder, flush=collector.flush, say=lambda _: None)
    kept = Kept(collector, Review(folder, taps), learner)
    with serving(taps=taps, kept=kept, fps=0) as (one, _):
        yield one
    collector.end()


def read(server: Server, path: str) -> Any:
    status, _, body = get(server, path)
    assert status == 200
    return json.loads(body)


def test_a_kept_frame_is_shown_and_labelled(server: Server, folder: Path) -> None:
    assert read(server, "/learn.json")["waiting"] == 1
    assert [file["name"] for file in read(server, "/review.json")["others"]] == ["a.jpg"]
    assert get(server, "/kept/a.jpg")[2] == (folder / "to-label" / "a.jpg").read_bytes()
    status, said = post(server, {"do": "label", "files": ["a.jpg"], "label": "red"}, path="/review")
    assert (status, json.loads(said)) == (200, {"moved": 1, "gone": 0})
    assert get(server, "/kept/a.jpg")[0] == 404
    assert post(server, {"do": "undo"}, path="/review")[0] == 200
    assert get(server, "/kept/a.jpg")[0] == 200


def test_collecting_is_switched_off_and_on(server: Server) -> None:
    for on in (False, True):
        assert post(server, {"do": "keep", "on": on}, path="/review")[0] == 204
        assert read(server, "/learn.json")["keeping"] is on


@pytest.mark.parametrize("name", ["..%2fframes.jsonl", "%2e%2e/x.jpg", "", "x"])
def test_nothing_else_of_the_disk_is_shown(server: Server, name: str) -> None:
    assert get(server, f"/kept/{name}")[0] == 404


@pytest.mark.parametrize(
    ("path", "order", "says"),
    [
        ("/review", {"do": "label", "files": ["a.jpg"]}, "a label"),
        ("/review", {"do": "label", "files": "a.jpg", "label": "red"}, "expected"),
        ("/review", {"do": "label", "files": ["../a.jpg"], "label": "red"}, "name"),
        ("/review", {"do": "label", "files": ["a.jpg"], "label": "pink"}, "no such class"),
        ("/review", {"do": "keep", "on": "yes"}, "expected"),
        ("/learn", {"do": "forget"}, "learn or back"),
        ("/learn", {"do": "learn"}, "record something first"),
        ("/learn", {"do": "back"}, "no file of before"),
    ],
)
def test_what_cannot_be_done_is_said(
    server: Server, folder: Path, path: str, order: dict[str, object], says: str
) -> None:
    status, said = post(server, order, path=path)
    assert status == 400
    assert says in said.decode()
    assert (folder / "to-label" / "a.jpg").exists()


@pytest.mark.parametrize("path", ["/review", "/learn"])
def test_another_page_changes_nothing(server: Server, folder: Path, path: str) -> None:
    order = {"do": "discard", "files": ["a.jpg"]}
    assert post(server, order, path=path, Origin="http://evil.example")[0] == 403
    assert (folder / "to-label" / "a.jpg").exists()


def test_where_nothing_is_kept_there_is_nothing_to_label() -> None:
    with serving(taps=Taps(LABELS), fps=0) as (server, _):
        for path in ("/learn.json", "/review.json", "/kept/a.jpg"):
            assert get(server, path)[0] == 404
        for path in ("/review", "/learn"):
            assert post(server, {"do": "undo"}, path=path)[0] == 404
