"""Frames that ``--collect`` keeps, and where."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.camera.collecting.collector import Collector
from edge_effnet.camera.collecting.layout import class_folder
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.frames import ComparedFrame, Frame, FrameScores, Region
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.data.division.bursts import burst_of
from edge_effnet.data.listing import load_dataset
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.image.reading import read_image
from tests.edge_effnet.camera.conftest import plain

LABELS = ("blue", "green", "red")
Make = Callable[..., Collector]
WHOLE = Region()
SQUASHED = Preprocess(96, 96, crop=1.0, fit="squash")


@pytest.fixture
def taps() -> Taps:
    return Taps(LABELS, may_add=True, clock=lambda: 3.5)  # when a class is let go


@pytest.fixture
def collector(tmp_path: Path, taps: Taps) -> Iterator[Make]:
    made = []

    def make(
        most: int = 1000,
        said: list[str] | None = None,
        region: Region = WHOLE,
        preprocess: Preprocess = SQUASHED,
    ) -> Collector:
        say = (said if said is not None else []).append
        one = Collector(
            tmp_path / "kept",
            labels=LABELS,
            region=region,
            preprocess=preprocess,
            taps=taps,
            most=most,
            floor=DiskFloor(0),
            say=say,
        )
        made.append(one)
        return one

    yield make
    for one in made:
        one.end()


def look(collector: Collector, answer: FrameScores, *, unknown: bool = False) -> None:
    """As a camera does: not faster than a disk takes images, which would drop some."""
    collector.see(answer, unknown=unknown)
    time.sleep(0.02)


def seen(number: int, *scores: float, scene: int | None = None) -> FrameScores:
    """A frame a second."""
    frame = Frame(plain("red"), number, number, float(number), float(number))
    values = np.array(scores or (0.02, 0.03, 0.95), np.float32)
    return FrameScores(frame, values, 0.0, 0.0, float(number), number if scene is None else scene)


def kept(folder: Path) -> dict[str, list[str]]:
    """By folder: the number of the press in the names; 0 of frames that nobody told."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("kept/*/**/*.jpg")):
        parts = path.name.split("-")
        found.setdefault(str(path.parent.relative_to(folder / "kept")), []).append(parts[3])
    return found


def lines(folder: Path) -> list[dict[str, Any]]:
    path = folder / "kept" / "frames.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_unsure_unknown_and_disagreed_frames_are_kept_once_for_a_scene(
    collector: Make, tmp_path: Path
) -> None:
    one = collector()
    look(one, seen(0))  # sure
    look(one, seen(1, 0.05, 0.45, 0.5))
    look(one, seen(2, 0.05, 0.45, 0.5, scene=1))
    look(one, seen(3), unknown=True)
    other = seen(4)
    look(one, other)
    one.see_pair(ComparedFrame(other, np.array([0.9, 0.05, 0.05], np.float32), 1.0))
    one.end()
    assert kept(tmp_path) == {"to-label": ["0"] * 3}
    unsure, unknown, disagree = lines(tmp_path)
    assert (unknown["reason"], disagree["reason"]) == ("unknown", "disagree")
    assert (unsure["reason"], unsure["model"][0]) == ("unsure", ["red", 0.5])
    assert (tmp_path / "kept" / unsure["file"]).exists()
    assert disagree["reference"][0] == ["blue", 0.9]


def test_told_frames_are_photos_in_the_folder_of_their_class(
    collector: Make, taps: Taps, tmp_path: Path
) -> None:
    one = collector()
    taps.add("cup")
    look(one, seen(0), unknown=True)
    taps.hold("cup", from_s=0.0)  # the frame that was shown is told too
    for number in range(1, 4):
        look(one, seen(number), unknown=True)
    taps.release()
    look(one, seen(9))
    taps.mark("red", 9.0)
    look(one, seen(10))
    one.end()
    assert kept(tmp_path) == {
        "photos/cup": ["1"] * 4,
        "photos/red": ["2"],
        "to-label": ["0"],  # before anybody told
    }
    dataset = load_dataset(tmp_path / "kept" / "photos")
    assert dataset.class_counts == {"cup": 4, "red": 1}
    assert len({burst_of(sample.path) for sample in dataset.samples}) == 2
    assert lines(tmp_path)[-1]["label"] == "red"


def test_of_one_class_held_two_frames_a_second_are_kept(
    collector: Make, taps: Taps, tmp_path: Path
) -> None:
    one = collector()
    taps.hold("red", from_s=0.0)
    for number in range(40):
        frame = Frame(plain("red"), number, number, number / 20, number / 20)
        look(one, FrameScores(frame, np.array([0, 0, 1], np.float32), 0, 0, 0, 0))
    one.end()
    assert len(kept(tmp_path)["photos/red"]) == 4


def test_what_is_taken_back_is_no_photo_of_the_class_any_more(
    collector: Make, taps: Taps, tmp_path: Path
) -> None:
    one = collector()
    taps.hold("red", from_s=0.0)
    look(one, seen(0))
    taps.undo()  # while it is on its way to the disk, or there
    look(one, seen(1))
    one.end()
    assert kept(tmp_path) == {"to-label": ["1"]}


def test_frames_that_follow_each_other_are_of_one_moment(collector: Make, tmp_path: Path) -> None:
    one = collector()
    for number in (0, 1, 3, 40, 41):
        look(one, seen(number), unknown=True)
        if number == 3:
            time.sleep(1.1)  # names tell seconds apart
    one.end()
    paths = sorted(tmp_path.glob("kept/to-label/*.jpg"))
    moments = [burst_of(path) for path in paths]
    assert [moments.count(moment) for moment in dict.fromkeys(moments)] == [3, 2]


def test_photos_that_are_not_written_are_not_counted(collector: Make, taps: Taps) -> None:
    one = collector(most=2)
    taps.hold("red", from_s=0.0)
    for number in range(6):
        look(one, seen(number))
    one.flush()
    assert one.recorded() == [("red", 2, 1)]
    assert one.full
    one.end()


def test_a_model_with_fewer_classes_takes_over(collector: Make, taps: Taps, tmp_path: Path) -> None:
    one = collector()
    look(one, seen(0))  # answered "red", the third class
    one.take_over(LABELS[:2])
    taps.mark("green", 0.0)
    look(one, seen(1, 0.3, 0.7))
    one.end()
    (line,) = lines(tmp_path)
    assert (line["label"], line["model"][0][0]) == ("green", "red")


def test_frames_that_nobody_told_leave_room_for_others(
    collector: Make, taps: Taps, tmp_path: Path
) -> None:
    said: list[str] = []
    one = collector(most=4, said=said)
    for number in range(5):
        look(one, seen(number), unknown=True)
    taps.mark("red", 5.0)
    look(one, seen(5))
    one.end()
    assert kept(tmp_path) == {"to-label": ["0"] * 2, "photos/red": ["1"]}
    assert any("label some" in line for line in said)


def test_no_more_than_so_many_files_over_all_runs(
    collector: Make, taps: Taps, tmp_path: Path
) -> None:
    said: list[str] = []
    for begin in (0, 10):
        one = collector(most=3, said=said)
        for number in range(begin, begin + 5):
            taps.mark("red", float(number))
            look(one, seen(number))
        one.end()
    assert len(kept(tmp_path)["photos/red"]) <= 3
    assert any("has its fill of frames" in line for line in said)


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("stop", "stop"),
        ("tench, Tinca tinca", "tench, Tinca tinca"),
        ("größe 🙂", "größe 🙂"),
        ("..", "x"),
        ("../../etc", "etc"),
        (".hidden", "hidden"),
        ("a/b", "a_b"),
        ("a:b", "a_b"),
        ("x" * 300, "x" * 24),
    ],
)
def test_a_class_is_one_folder_whatever_it_is_called(label: str, folder: str) -> None:
    assert class_folder(label) == folder


@pytest.mark.parametrize(
    "name", ["", "  ", "..", "a/b", "a\\b", ".x", "x" * 41, "a\nb", "RED", "???", "what?"]
)
def test_a_new_thing_has_a_plain_name_of_its_own(taps: Taps, name: str) -> None:
    with pytest.raises(ValueError, match=r"a name|there is a class"):
        taps.add(name)
    assert taps.labels == LABELS


def test_where_nothing_is_collected_no_class_is_added() -> None:
    taps = Taps(LABELS)
    with pytest.raises(ValueError, match="no class can be added"):
        taps.add("cup")


def test_what_is_kept_is_the_part_that_the_models_see(collector: Make, tmp_path: Path) -> None:
    one = collector(region=Region(0.25, 0.0, 0.5, 1.0))
    whole = np.zeros((32, 64, 3), np.uint8)
    whole[:, 16:48] = 255
    scores = np.array([0.4, 0.35, 0.25], np.float32)
    look(one, FrameScores(Frame(whole, 0, 0, 0.0, 0.0), scores, 0, 0, 0, 0))
    one.end()
    (path,) = tmp_path.glob("kept/to-label/*.jpg")
    pixels = read_image(path)
    assert pixels.shape == (32, 32, 3)
    assert pixels.min() > 250


@pytest.mark.parametrize(
    ("preprocess", "kept"),
    [
        (Preprocess(96, 96, crop=0.9), (32, 32, 3)),  # a little more than the model sees
        (Preprocess(48, 96), (32, 64, 3)),
        (Preprocess(96, 96, crop=1.0, fit="pad"), (32, 80, 3)),
    ],
)
def test_what_lies_beside_the_crop_of_the_models_is_not_kept(
    collector: Make, tmp_path: Path, preprocess: Preprocess, kept: tuple[int, int, int]
) -> None:
    one = collector(preprocess=preprocess)
    scores = np.array([0.4, 0.35, 0.25], np.float32)
    look(one, FrameScores(Frame(np.zeros((32, 80, 3), np.uint8), 0, 0, 0.0, 0.0), scores, 0, 0, 0))
    one.end()
    (path,) = tmp_path.glob("kept/to-label/*.jpg")
    assert read_image(path).shape == kept
