"""Frames kept as images: by their answer, or because two models call them differently."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.camera.answers import UNKNOWN, Decision, ScoredLabel
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.frame_files import (
    AnswerSaver,
    DifferenceSaver,
    SavedAnswer,
    file_name_part,
    parse_saved_answer,
)
from edge_effnet.errors import OutputError, UsageProblem
from tests.edge_effnet.camera.conftest import Cli, MakeClip, plain, wait_for
from tests.edge_effnet.conftest import MakeModel

FLOOR = DiskFloor(1000)
LABELS = ("stop", "turn left", "12:30", "a:b")


def frame(number: int, time_s: float = 0.0, path: Path | None = None) -> Frame:
    return Frame(plain("red"), number, number, time_s, 0.0, path)


def seen(label: str, score: float) -> Decision:
    return Decision((ScoredLabel(label, score),))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("stop", SavedAnswer("stop", 0.0)),
        ("Turn_Left:0.8", SavedAnswer("turn left", 0.8)),
        ("stop:80%", SavedAnswer("stop", 0.8)),
        ("12:30:0.5", SavedAnswer("12:30", 0.5)),
        ("a:b", SavedAnswer("a:b", 0.0)),
        ("unknown:0.1", SavedAnswer(UNKNOWN, 0.1)),
    ],
)
def test_answers_and_their_scores(text: str, answer: SavedAnswer) -> None:
    assert parse_saved_answer(text, LABELS, UNKNOWN) == answer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("elephant", "the model knows no such label"),
        ("stop:5", "the score is out of range; found 5"),
        ("stop:high", "the model knows no such label"),
    ],
)
def test_answers_that_are_none(text: str, message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        parse_saved_answer(text, LABELS, UNKNOWN)


def test_a_label_that_stays_is_saved_now_and_then(tmp_path: Path) -> None:
    said: list[str] = []
    answers = [SavedAnswer("stop", 0.8), SavedAnswer("turn left", 0.0)]
    saver = AnswerSaver(answers, tmp_path / "saved", pause_s=5.0, floor=FLOOR, say=said.append)
    steps = [
        ("stop", 0.7, 0.0),  # not sure enough
        ("stop", 0.9, 1.0),
        ("stop", 0.9, 4.0),  # too soon
        ("turn left", 0.3, 4.5),  # another label, in its own time
        ("go", 1.0, 5.0),
        ("stop", 0.85, 6.0),
    ]
    for number, (label, score, time_s) in enumerate(steps):
        saver.see(seen(label, score), frame(number, time_s))
    saver.end()
    files = sorted(tmp_path.rglob("*.jpg"))
    assert [(file.parent.name, file.name[-20:]) for file in files] == [
        ("stop", "frame0000001-0.90.jpg"[-20:]),
        ("stop", "frame0000005-0.85.jpg"[-20:]),
        ("turn_left", "frame0000003-0.30.jpg"[-20:]),
    ]
    kept = cv2.cvtColor(cv2.imread(str(files[0])), cv2.COLOR_BGR2RGB).astype(int)
    assert np.abs(kept - plain("red").astype(int)).mean() < 8
    assert said == [f"3 frames saved in {tmp_path / 'saved'}"]
    assert saver.problem is None
    assert [(one.path, one.label, one.score, one.number) for one in saver.saved] == [
        (files[0], "stop", 0.9, 1),
        (files[2], "turn left", 0.3, 3),
        (files[1], "stop", 0.85, 5),
    ]
    files[0].unlink()
    assert [one.number for one in saver.saved] == [3, 5]


def test_images_are_saved_each(tmp_path: Path) -> None:
    saver = AnswerSaver(
        [SavedAnswer("stop", 0.0)], tmp_path, pause_s=5.0, floor=FLOOR, say=lambda _: None
    )
    for number in range(3):
        saver.see(seen("stop", 1.0), frame(number, 0.0, Path("a.png")))
    saver.end()
    assert len(list(tmp_path.rglob("*.jpg"))) == 3


def test_a_full_disk_is_said_once_and_saving_goes_on_when_there_is_room(tmp_path: Path) -> None:
    said: list[str] = []
    free: Iterator[int] = iter([0, 1500, 10**9])
    floor = DiskFloor(10**6, free=lambda _: next(free))
    saver = AnswerSaver(
        [SavedAnswer("stop", 0.0)], tmp_path, pause_s=0.0, floor=floor, say=said.append
    )
    for number in range(3):
        saver.see(seen("stop", 1.0), frame(number, float(number)))
    saver.end()
    problem = f"{tmp_path} is on a disk with 1 MB free or less (--keep-free)"
    assert said == [f"frames were not saved: {problem}", f"1 frame saved in {tmp_path}"]
    assert saver.problem is not None
    assert len(list(tmp_path.rglob("*.jpg"))) == 1


def test_the_last_bytes_above_the_floor_are_not_used(tmp_path: Path) -> None:
    """A file that would end below the floor is not begun, though there is room for it."""
    free_bytes = 1_000_500
    floor = DiskFloor(1_000_000, free=lambda _: free_bytes)
    assert floor.leaves_room(tmp_path, 500)
    assert not floor.leaves_room(tmp_path, 501)


def test_the_command_keeps_frames_by_their_answer(
    cli: Cli, colour_model: MakeModel, clip: MakeClip, tmp_path: Path
) -> None:
    path = clip(["red"] * 10 + ["blue"] * 30, fps=10)
    code, _, err = cli(
        *("--model", colour_model(), "--source", path, "--every-frame", "--smooth", "0"),
        *("--save", "blue:0.5", "--save-to", tmp_path / "kept", "--save-pause", "2"),
    )
    assert code == 0, err
    assert len(list((tmp_path / "kept/blue").iterdir())) == 2  # at 1 s and 3 s
    assert [folder.name for folder in (tmp_path / "kept").iterdir()] == ["blue"]
    assert f"2 frames saved in {tmp_path / 'kept'}" in err


def test_a_floor_above_what_is_free_keeps_nothing_and_fails(
    cli: Cli, colour_model: MakeModel, clip: MakeClip, tmp_path: Path
) -> None:
    code, _, err = cli(
        *("--model", colour_model(), "--source", clip(["red"] * 5), "--every-frame"),
        *("--save", "red", "--save-to", tmp_path / "kept", "--keep-free", "900000GB"),
    )
    assert code == 1
    assert list((tmp_path / "kept").rglob("*.jpg")) == []
    assert "with 900000000 MB free or less (--keep-free)" in err


def test_differences_are_saved_losslessly_up_to_a_number(tmp_path: Path) -> None:
    said: list[str] = []
    folder = tmp_path / "set"
    for run in range(2):
        saver = DifferenceSaver(folder, most=5, floor=FLOOR, say=said.append)
        for number in range(4):
            before = len(list(folder.iterdir()))
            if saver.put(frame(10 * run + number), "n/o such, x", "grün") is not None:
                wait_for(lambda before=before: len(list(folder.glob("*.png"))) > before)  # type: ignore[misc]
        saver.end()
    files = sorted(folder.iterdir())
    assert len(files) == 5  # the second run found four of the first
    assert "-frame0000000-n_o_such-grun.png" in files[0].name
    saved = cv2.cvtColor(cv2.imread(str(files[0])), cv2.COLOR_BGR2RGB)
    assert np.array_equal(saved, plain("red"))
    assert sum("has its fill" in line for line in said) == 1


def test_where_frames_cannot_be_saved(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be used"):
        DifferenceSaver(tmp_path / "file" / "x", most=5, floor=FLOOR, say=print)


def test_labels_become_file_names() -> None:
    assert file_name_part("../../etc/passwd") == "etc_passwd"
    assert file_name_part("東京") == "x"
