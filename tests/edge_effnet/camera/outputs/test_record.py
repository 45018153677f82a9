"""Recording with overlay, saved differences, JSON lines, and disks that fill up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.camera.answers import Decision, ScoredLabel
from edge_effnet.camera.frames import Frame, FrameScores, Region
from edge_effnet.camera.outputs.jsonl import JsonLines
from edge_effnet.camera.outputs.record import (
    LONGEST_GAP_S,
    RESERVE_BYTES,
    AnnotatedFrame,
    DifferenceSaver,
    Recorder,
    file_name_part,
)
from edge_effnet.camera.outputs.status_line import StatusLine
from edge_effnet.camera.outputs.window import Window
from edge_effnet.errors import OutputError, UsageProblem
from edge_effnet.heads.head import Head
from tests.edge_effnet.camera.conftest import FakeClock, plain

SEEN = Decision((ScoredLabel("red", 1.0),), (ScoredLabel("red", 1.0),))


def annotated(number: int, time_s: float, width: int = 64, height: int = 48) -> AnnotatedFrame:
    frame = Frame(plain("red", width, height), number, number, time_s, 0.0)
    return AnnotatedFrame(frame, (("model", SEEN),), "10 fps")


def recorder(path: Path, said: list[str], **settings: object) -> Recorder:
    values = {"fps": 10.0, "region": Region(), "every_frame": True, "overwrite": False}
    values |= settings
    return Recorder(path, say=said.append, **values)  # type: ignore[arg-type]


def frames_in(path: Path) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(path)), []
    while (got := capture.read())[0]:
        frames.append(got[1])
    capture.release()
    return frames


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_a_recording_plays_and_shows_the_answer(tmp_path: Path, suffix: str) -> None:
    said: list[str] = []
    path = tmp_path / f"out{suffix}"
    writer = recorder(path, said)
    for number in range(12):
        writer.put(annotated(number, number / 10, 320, 240))
    assert not path.exists()  # until it is finished
    writer.end()
    frames = frames_in(path)
    assert len(frames) == 12
    assert frames[0].shape == (240, 320, 3)
    blank = plain("red", 320, 240)[:, :, ::-1].astype(int)
    assert np.abs(frames[0][:30].astype(int) - blank[:30]).mean() > 30  # the strip of the answer
    assert np.abs(frames[0][100:200].astype(int) - blank[100:200]).mean() < 15
    assert said == []
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    with pytest.raises(OutputError, match="already exists"):
        recorder(path, said)


def test_a_recording_follows_the_clock_of_its_frames(tmp_path: Path) -> None:
    said: list[str] = []
    writer = recorder(tmp_path / "out.mp4", said)
    times = [0, 0.02, 0.04, 0.1, 0.5, 1000.0, 1000.1]  # too fast, then slow, then away
    for number, time_s in enumerate(times):
        writer.put(annotated(number, time_s))
    writer.end()
    assert len(frames_in(tmp_path / "out.mp4")) == 6 + round(10 * LONGEST_GAP_S) + 1


def test_a_change_of_size_while_recording(tmp_path: Path) -> None:
    said: list[str] = []
    writer = recorder(tmp_path / "out.mp4", said)
    for number, side in enumerate((64, 65, 33, 128)):
        writer.put(annotated(number, number / 10, side, side))
    writer.end()
    frames = frames_in(tmp_path / "out.mp4")
    assert len(frames) == 4
    assert {frame.shape for frame in frames} == {(64, 64, 3)}


def test_a_full_disk_ends_the_recording_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    free = iter([10 * RESERVE_BYTES] * 3)
    clock = FakeClock()
    monkeypatch.setattr("edge_effnet.camera.outputs.record.time.monotonic", clock)
    writer = recorder(tmp_path / "out.mp4", said, free=lambda _: next(free, RESERVE_BYTES - 1))
    for number in range(30):
        clock.wait(0.2)
        writer.put(annotated(number, number / 10))
    writer.end()
    assert "the disk with" in said[0]
    assert len(said) == 1
    assert 5 <= len(frames_in(tmp_path / "out.mp4")) < 30


def test_a_recording_without_frames_leaves_nothing(tmp_path: Path) -> None:
    recorder(tmp_path / "out.mp4", []).end()
    assert list(tmp_path.iterdir()) == []


def test_where_a_recording_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"cannot write \.txt"):
        recorder(tmp_path / "out.txt", [])
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        recorder(tmp_path / "file" / "out.mp4", [])


# Frames the models differ on


def test_differences_are_saved_losslessly_up_to_a_number(tmp_path: Path) -> None:
    said: list[str] = []
    for run in range(2):
        saver = DifferenceSaver(tmp_path / "set", most=5, say=said.append)
        for number in range(4):
            saver.put(annotated(10 * run + number, 0).frame, "n/o such, x", "grün")
        saver.end()
        for number in range(2):
            saver.put(annotated(number, 0).frame, "a", "b")
    files = sorted((tmp_path / "set").iterdir())
    assert len(files) == 5  # the second run found four of the first
    assert "-frame0000000-n_o_such-grun.png" in files[0].name
    saved = cv2.cvtColor(cv2.imread(str(files[0])), cv2.COLOR_BGR2RGB)
    assert np.array_equal(saved, plain("red"))
    assert sum("has its fill" in line for line in said) == 1


def test_a_full_disk_ends_the_saving(tmp_path: Path) -> None:
    said: list[str] = []
    saver = DifferenceSaver(tmp_path / "set", most=5, say=said.append, free=lambda _: 0)
    for number in range(3):
        saver.put(annotated(number, 0).frame, "a", "b")
    saver.end()
    assert said == ["frames are not saved any more: the disk is nearly full"]
    assert list((tmp_path / "set").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be used"):
        DifferenceSaver(tmp_path / "file" / "x", most=5, say=said.append)


def test_labels_become_file_names() -> None:
    assert file_name_part("../../etc/passwd") == "etc_passwd"
    assert file_name_part("東京") == "x"
    assert len(file_name_part("a" * 300)) <= 24


# JSON lines


def answer(number: int) -> FrameScores:
    scores = np.array([0.75, 0.25, 0], np.float32)
    return FrameScores(annotated(number, number / 10).frame, scores, 0.1, 1.0, 0.02)


def test_lines_are_json_each_and_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    lines = JsonLines(str(path), overwrite=False, say=print)
    lines.answer(answer(3), SEEN, ("red", "green", "blue"), Head("softmax", 3))
    lines.note("it's “there”")
    first, second = map(json.loads, path.read_text().splitlines())
    assert (first["type"], first["frame"], first["raw"]) == ("answer", 3, ["red", 0.75])
    assert first["delay_ms"] == 20
    assert second["text"] == "it's “there”"
    lines.end()
    with pytest.raises(OutputError, match="already exists"):
        JsonLines(str(path), overwrite=False, say=print)


FULL_DISK = """
import resource, signal, sys
from edge_effnet.camera.outputs.jsonl import JsonLines

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
lines = JsonLines(sys.argv[1], overwrite=False, say=print)
for number in range(100):
    lines.note(f"{number} on the way to a full disk")
lines.end()
assert lines.problem
"""


def test_a_full_disk_ends_the_lines_with_a_note_behind_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{path} cannot be written any more: File too large\n"
    lines = path.read_bytes().splitlines(keepends=True)
    numbers = [int(json.loads(line)["text"].split()[0]) for line in lines]
    assert numbers == list(range(len(lines)))
    assert len(lines) > 5
    assert lines[-1].endswith(b"\n")


# The status line and the window


def test_the_status_line_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    status = StatusLine(terminal=False, clock=clock)
    for _ in range(300):
        status.show("10 fps \x1b[31m")
        clock.wait(0.1)
    status.say("the camera\nis back")
    status.clear()
    err = capsys.readouterr().err
    assert err.count("10 fps") == 3  # half a minute
    assert "\x1b" not in err
    assert "note: the camera\\nis back\n" in err


def test_the_status_line_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    status = StatusLine(terminal=True, clock=FakeClock())
    status.show("x" * 300)
    status.say("news")
    err = capsys.readouterr().err
    assert err == "\r\x1b[2K" + "x" * 29 + "\r\x1b[2Knote: news\n"
    quiet = StatusLine(quiet=True, terminal=True)
    quiet.show("x")
    assert capsys.readouterr().err == ""


def test_no_window_without_a_screen_or_with_a_headless_opencv(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OutputError, match="needs a screen"):
        Window()
    monkeypatch.setenv("DISPLAY", ":0")

    def unimplemented(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", unimplemented)
    with pytest.raises(OutputError, match="OpenCV with windows"):
        Window()


def test_a_window_shows_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins for OpenCV's window functions: no screen was at hand."""
    shown: list[tuple[int, ...]] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "imshow", lambda _, image: shown.append(image.shape))
    monkeypatch.setattr(cv2, "waitKey", lambda _: ord("q") if len(shown) == 2 else -1)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    clock = FakeClock()
    window = Window(clock=clock)
    for number in range(3):
        clock.wait(1)
        window.show(annotated(number, 0.0), Region())
    assert shown == [(48, 64, 3)] * 2
    assert window.closed
    window.end()
