"""Smoothing, thresholds, hooks, truth, care for the board: what is made of scores."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.camera.answers import (
    NONE,
    UNKNOWN,
    Decision,
    ScoredLabel,
    Smoother,
    decide,
    with_threshold,
)
from edge_effnet.camera.evaluation.ground_truth import read_ground_truth
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.outputs.hooks import CommandHooks, Hook, parse_hook
from edge_effnet.camera.outputs.overlay import draw, plain
from edge_effnet.camera.thermal import BoardHealth, BoardMonitor, board_health, next_limit
from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.heads.head import Head
from edge_effnet.measure.system_state import read_system_state
from tests.edge_effnet.camera import conftest
from tests.edge_effnet.camera.conftest import FakeClock

LABELS = ("stop", "turn left", "go")
ONE_OF_THREE = Head("softmax", 3)
STOP, GO = np.array([1, 0, 0], np.float32), np.array([0, 0, 1], np.float32)


def frame_at(position: int, path: Path | None = None) -> Frame:
    return Frame(conftest.plain("red", 4, 4), position, position, 0.0, 0.0, path)


@pytest.mark.parametrize("fps", [5.0, 60.0])
def test_smoothing_follows_time_and_not_frames(fps: float) -> None:
    smoother = Smoother(0.5)
    smoother.add(STOP, 0.0)
    scores = STOP
    for number in range(1, round(fps) + 1):
        scores = smoother.add(GO, number / fps)
    assert scores[0] == pytest.approx(np.exp(-1 / 0.5), rel=1e-3)  # after one second
    assert scores.sum() == pytest.approx(1, rel=1e-5)


def test_without_smoothing_scores_pass_unchanged() -> None:
    smoother = Smoother(0)
    smoother.add(STOP, 0.0)
    assert smoother.add(GO, 0.01) is GO


def test_the_threshold_makes_an_answer_unknown() -> None:
    scores = np.array([0.3, 0.5, 0.2], np.float32)
    seen = decide(scores, LABELS, ONE_OF_THREE, top=2, threshold=0.5)
    assert (seen.label, seen.scored) == ("turn left", "turn left 0.50")
    assert [item.label for item in seen.best] == ["turn left", "stop"]
    unsure = decide(scores, LABELS, ONE_OF_THREE, top=9, threshold=0.51)
    assert unsure.label == UNKNOWN
    assert len(unsure.best) == 3


def test_one_output_answers_one_of_two_classes_or_unknown() -> None:
    head, labels = Head("sigmoid", 1, threshold=0.3), ("no", "yes")
    seen = decide(head.scores(np.float32([0.35])), labels, head, top=2, threshold=None)
    assert seen.scored == "yes 0.35"  # above the head's own threshold
    assert [item.label for item in seen.best] == ["no", "yes"]
    sure = decide(head.scores(np.float32([0.05])), labels, head, top=2, threshold=0.9)
    assert sure.scored == "no 0.95"
    assert decide(head.scores(np.float32([0.35])), labels, head, top=2, threshold=0.9).label == (
        UNKNOWN
    )


def test_several_labels_are_answered_together() -> None:
    head = with_threshold(Head("multilabel", 3), 0.6)
    seen = decide(np.float32([0.7, 0.6, 0.9]), LABELS, head, top=3, threshold=0.6)
    assert (seen.label, seen.scored) == ("go, stop", "go 0.90, stop 0.70")
    nothing = decide(np.float32([0.5, 0.6, 0.1]), LABELS, head, top=3, threshold=0.6)
    assert (nothing.label, nothing.nothing) == (NONE, True)
    assert nothing.differs_from(seen)


def test_a_value_is_shown_as_it_is() -> None:
    head = Head("regression", 1)
    seen = decide(np.float32([-2.125]), ("0",), head, top=3, threshold=None)
    assert (seen.text, seen.best, seen.answers) == ("-2.125", (), ())
    other = decide(np.float32([7]), ("0",), head, top=3, threshold=None)
    assert not other.differs_from(seen)  # a value near another is not another answer


# CommandHooks

WRITE = (
    "import json, os, sys; "
    "print(json.dumps([sys.argv[2:], os.environ['EDGE_EFFNET_LABEL'], "
    "os.environ['EDGE_EFFNET_FRAME']]), file=open(sys.argv[1], 'a'))"
)


def wait_for(done: object, seconds: float = 20) -> None:
    assert callable(done)
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(0.01)
    assert done()


def test_a_hook_runs_once_for_each_appearance_at_most_once_a_pause(tmp_path: Path) -> None:
    out, clock, said = tmp_path / "out", FakeClock(), []
    command = (sys.executable, "-c", WRITE, str(out), "{label}; rm -rf $HOME", "{score}")
    hooks = CommandHooks([Hook("stop", command)], pause_s=5, say=said.append, clock=clock)

    def lines() -> list[str]:
        return out.read_text().splitlines() if out.exists() else []

    for frame, label in enumerate(["go", "stop", "stop", "stop"]):
        hooks.see([ScoredLabel(label, 0.75)], frame)
    wait_for(lambda: len(lines()) == 1)
    hooks.finish(20)
    # No shell: the semicolon and the dollar arrive as they are.
    assert json.loads(lines()[0]) == [["stop; rm -rf $HOME", "0.750"], "stop", "1"]
    hooks.see([ScoredLabel("go", 0.9)], 4)
    hooks.see([ScoredLabel("stop", 0.9)], 5)  # too soon
    clock.wait(6)
    hooks.see([ScoredLabel("stop", 0.9)], 6)  # not an appearance
    assert hooks.fired == 1
    hooks.see([ScoredLabel("go", 0.9)], 7)
    hooks.see([ScoredLabel("stop", 0.9)], 8)
    wait_for(lambda: len(lines()) == 2)
    hooks.finish(20)
    assert hooks.fired == 2
    assert said == []


def test_a_hook_never_blocks_and_never_runs_twice_at_a_time(tmp_path: Path) -> None:
    said: list[str] = []
    program = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists():\n"
    program += "    time.sleep(0.01)\nraise SystemExit(3)"
    waiter = (sys.executable, "-c", program, str(tmp_path / "over"))
    hooks = CommandHooks([Hook("stop", waiter)], pause_s=0, say=said.append)
    for number in range(50):
        hooks.see([ScoredLabel(("stop", "go")[number % 2], 0.9)], number)
    assert hooks.fired == 1
    (tmp_path / "over").touch()
    hooks.finish(20)
    assert said == ["--on stop: the command ended with 3"]


def test_a_label_among_others_fires_when_it_appears_and_not_while_it_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = (sys.executable, "-c", WRITE, str(out), "{label}", "{score}")
    hooks = CommandHooks([Hook("stop", command), Hook(NONE, command)], pause_s=0, say=print)
    stop, go = ScoredLabel("stop", 0.8), ScoredLabel("go", 0.9)
    for frame, answers in enumerate([[go], [go, stop], [stop], [stop, go], [go]]):
        hooks.see(answers, frame)
    hooks.finish(20)
    assert hooks.fired == 1
    assert json.loads(out.read_text()) == [["stop", "0.800"], "stop", "1"]
    hooks.see([ScoredLabel(NONE, 0.2)], 5)
    hooks.finish(20)
    assert hooks.fired == 2


def test_hooks_are_checked_when_they_are_read() -> None:
    python = shlex.quote(sys.executable)
    hook = parse_hook("Turn-Left", f"{python} -c 'a b' \"c d\"", LABELS)
    assert hook == Hook("turn left", (sys.executable, "-c", "a b", "c d"))
    assert parse_hook(UNKNOWN, python, LABELS).label == UNKNOWN
    assert parse_hook(NONE, python, LABELS, none=NONE).label == NONE
    with pytest.raises(UsageProblem, match=NONE):
        parse_hook(UNKNOWN, python, LABELS, none=NONE)
    for name, command, message in (
        ("halt", python, "no such label"),
        ("stop", "no-such-program-here x", "no such program"),
        ("stop", "", "no such program"),
        ("stop", "echo 'open", "not understood"),
    ):
        with pytest.raises(UsageProblem, match=message):
            parse_hook(name, command, LABELS)


# GroundTruth


def test_truth_from_a_csv_of_frames(tmp_path: Path) -> None:
    path = tmp_path / "clip.csv"
    path.write_text("frame,label,x0\n0,stop,1\n1,,\n2,Turn_Left,3\n")
    truth = read_ground_truth(str(path), "clip.mp4", LABELS, ONE_OF_THREE)
    assert [truth(frame_at(position)) for position in range(4)] == [(0,), None, (1,), None]


def test_truth_from_a_csv_of_files(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("file,label\nset/a.png,go\n")
    truth = read_ground_truth(str(path), "set", LABELS, ONE_OF_THREE)
    assert truth(frame_at(0, tmp_path / "set" / "a.png")) == (2,)
    assert truth(frame_at(0, tmp_path / "b.png")) is None


@pytest.mark.parametrize(
    "rows",
    [
        "frame,label\n0,stop|go\n1,(none)\n2,\n3,Turn-Left\n",
        "frame,labels?,stop,turn left,go\n0,,1,0,1\n1,,0,0,0\n2,,,,\n3,,no,yes,0\n",
    ],
)
def test_truth_of_several_labels(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "clip.csv"
    path.write_text(rows)
    truth = read_ground_truth(str(path), "clip.mp4", LABELS, Head("multilabel", 3))
    assert [truth(frame_at(position)) for position in range(4)] == [(0, 2), (), None, (1,)]


def test_truth_of_values(tmp_path: Path) -> None:
    path = tmp_path / "clip.csv"
    path.write_text("frame,value\n0,-1.5\n1,\n")
    truth = read_ground_truth(str(path), "clip.mp4", ("value",), Head("regression", 1))
    assert [truth(frame_at(position)) for position in range(2)] == [-1.5, None]
    path.write_text("frame,value\n0,red\n")
    with pytest.raises(DataError, match="a row without a value"):
        read_ground_truth(str(path), "clip.mp4", ("value",), Head("regression", 1))
    path.write_text("frame,label\n0,red\n")
    with pytest.raises(DataError, match="has no values"):
        read_ground_truth(str(path), "clip.mp4", ("value",), Head("regression", 1))
    with pytest.raises(DataError, match="names a class"):
        read_ground_truth("folder", str(tmp_path), ("value",), Head("regression", 1))


def test_truth_from_the_folders_name(tmp_path: Path) -> None:
    clip = tmp_path / "stop" / "clip.mp4"
    clip.parent.mkdir()
    clip.touch()
    assert read_ground_truth("folder", str(clip), LABELS, ONE_OF_THREE)(frame_at(7)) == (0,)
    for name in ("go/a.png", "go/deep/b.png", "dog/a.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    source = tmp_path / "set"
    truth = read_ground_truth("folder", str(source), LABELS, ONE_OF_THREE)
    assert truth(frame_at(0, source / "go" / "a.png")) == (2,)
    assert truth(frame_at(0, source / "go" / "deep" / "b.png")) == (2,)
    assert truth(frame_at(0, source / "dog" / "a.png")) is None
    with pytest.raises(DataError, match="names no class that the model knows; found 'dog', 'go'"):
        read_ground_truth("folder", str(source), ("red", "green", "blue"), ONE_OF_THREE)


def test_folders_are_never_matched_with_invented_names(tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").touch()
    with pytest.raises(DataError, match=r"found 2 classes: 1, 2; expected 3.*--labels numbers"):
        read_ground_truth("folder", str(tmp_path), None, ONE_OF_THREE)
    assert read_ground_truth("folder", str(tmp_path), ("0", "1", "2"), ONE_OF_THREE)(
        frame_at(0, tmp_path / "2" / "a.png")
    ) == (2,)


def test_a_truth_about_other_images_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "set"
    source.mkdir()
    (source / "a.png").touch()
    path = tmp_path / "truth.csv"
    path.write_text("file,label\nother/a.png,go\n")
    with pytest.raises(DataError, match=r"says nothing of .*set; found 1 files, the first .*other"):
        read_ground_truth(str(path), str(source), LABELS, ONE_OF_THREE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "expected frame"),
        ("", "an empty file"),
        ("frame,text\n0,stop\n", "lacks columns; found frame, text"),
        ("frame,label\n0,\n", "says nothing of any frame"),
        ("frame,label\n0,elephant\n", "classes that the labels do not have; found 'elephant'"),
        ("frame,label\nx,stop\n", "no number"),
    ],
)
def test_a_bad_truth_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_ground_truth(str(path), "clip.mp4", LABELS, ONE_OF_THREE)
    with pytest.raises(DataError, match="cannot be read"):
        read_ground_truth(str(tmp_path / "nowhere.csv"), "clip.mp4", LABELS, ONE_OF_THREE)
    with pytest.raises(DataError, match="needs a file or a folder"):
        read_ground_truth("folder", "picamera2", LABELS, ONE_OF_THREE)


# Care for the board


def board(tmp_path: Path, temperature_c: float, throttled: str) -> BoardHealth:
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True, exist_ok=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text(f"{1000 * temperature_c:.0f}\n")
    firmware = tmp_path / "sys/devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True, exist_ok=True)
    (firmware / "get_throttled").write_text(throttled)
    monitor = BoardMonitor(every_s=0.01, read=lambda: read_system_state(tmp_path))
    monitor.start()
    wait_for(lambda: monitor.health.temperature_c is not None)
    monitor.end()
    return monitor.health


def test_the_boards_state(tmp_path: Path) -> None:
    assert board(tmp_path, 51.5, "50000") == BoardHealth(51.5, ())  # happened once, not now
    hot = board(tmp_path, 84.0, "5000d")
    assert hot.temperature_c == 84.0
    assert "throttled" in hot.throttled
    assert "under-voltage" in hot.throttled
    assert board_health(read_system_state(tmp_path / "elsewhere")) == BoardHealth(None, ())


def test_the_rate_falls_while_it_is_hot_and_rises_slowly() -> None:
    hot, warm, cool = BoardHealth(82.0), BoardHealth(78.0), BoardHealth(60.0)
    assert next_limit(None, 30.0, cool, 80, None) is None
    limit = next_limit(None, 30.0, hot, 80, None)
    assert limit == pytest.approx(22.5)
    limit = next_limit(limit, 22.0, hot, 80, None)
    assert limit == pytest.approx(16.5)
    assert next_limit(limit, 16.5, warm, 80, None) == limit  # no swinging
    risen = next_limit(limit, 16.5, cool, 80, None)
    assert risen is not None
    assert limit < risen < 20
    assert next_limit(28.0, 15.0, cool, 80, None) is None  # it does not bind any more
    assert next_limit(9.5, 9.5, cool, 80, 10.0) == 10.0  # never above what was asked
    assert next_limit(10.0, 9.9, BoardHealth(50.0, ("throttled",)), 80, 10.0) == pytest.approx(
        7.425
    )
    assert next_limit(0.5, 0.5, hot, 80, None) == 0.5
    assert next_limit(None, 0.0, hot, 80, None) is None  # nothing runs yet


# Overlay


def test_the_overlay_leaves_the_frame_alone_and_draws_on_any_size() -> None:
    labels = ("stop", "übergang", "東京")
    seen = decide(STOP, labels, ONE_OF_THREE, top=3, threshold=None)
    for width, height in ((640, 480), (64, 48), (3, 2), (1920, 1080)):
        pixels = conftest.plain("red", width, height)
        before = pixels.copy()
        drawn = draw(pixels, [("model", seen), ("float", seen)], status="10 fps")
        assert np.array_equal(pixels, before)
        assert drawn.shape == pixels.shape
        assert not np.array_equal(drawn, pixels)
    assert plain("übergang, x") == "ubergang"
    assert plain("東京") == "?"
    assert draw(pixels, []).shape == pixels.shape
    assert isinstance(seen, Decision)


def test_a_truth_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("frame,label\n0,stop\n0,stop\n1,stop\n1,go\n")
    with pytest.raises(DataError, match="rows that differ about frame 1"):
        read_ground_truth(str(path), "clip.mp4", LABELS, ONE_OF_THREE)


def test_how_folders_were_read_as_truth_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    for name in ("a", "b", "val"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").touch()
    read_ground_truth("folder", str(tmp_path), None, ONE_OF_THREE, told.append)
    assert "in the order a, b, val" in told.pop()
    read_ground_truth("folder", str(tmp_path), ("a", "b", "c"), ONE_OF_THREE, told.append)
    assert told == ["not evaluated, since the model knows no such class: images of val (1)"]
    (tmp_path / "a").rename(tmp_path / "train")
    (tmp_path / "b" / "0.png").unlink()
    (tmp_path / "b").rmdir()
    with pytest.raises(DataError, match=r"--source .*val"):
        read_ground_truth("folder", str(tmp_path), None, ONE_OF_THREE)
