"""Recording with overlay, a disk that fills up, the status line and the window."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.camera.answers import Decision, ScoredLabel
from edge_effnet.camera.frames import Frame, Region
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.record import (
    LONGEST_GAP_S,
    AnnotatedFrame,
    Recorder,
)
from edge_effnet.camera.outputs.status_line import StatusLine
from edge_effnet.camera.outputs.window import Window
from edge_effnet.errors import OutputError, UsageProblem
from tests.edge_effnet.camera.conftest import FakeClock, plain

FLOOR = DiskFloor(1000)
SEEN = Decision((ScoredLabel("red", 1.0),), (ScoredLabel("red", 1.0),))


def annotated(number: int, time_s: float, width: int = 64, height: int = 48) -> AnnotatedFrame:
    frame = Frame(plain("red", width, height), number, number, time_s, 0.0)
    return AnnotatedFrame(frame, (("model", SEEN),), "10 fps")


def recorder(path: Path, said: list[str], **settings: object) -> Recorder:
    values = {"fps": 10.0, "region": Region(), "every_frame": True, "overwrite": False}
    values["floor"] = FLOOR
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


def test_a_full_disk_ends_the_recording_and_keeps_it(tmp_path: Path) -> None:
    said: list[str] = []
    free = iter([50_000_000] * 5)
    floor = DiskFloor(1_000_000, free=lambda _: next(free, 1_005_000))  # a frame has 9 kB raw
    writer = recorder(tmp_path / "out.mp4", said, floor=floor)
    for number in range(30):
        writer.put(annotated(number, number / 10))
    writer.end()
    path = tmp_path / "out.mp4"
    assert said == [f"recording ended: the disk with {path} is nearly full (--keep-free)"]
    assert len(frames_in(path)) == 5


def test_a_time_lapse_has_each_frame_once(tmp_path: Path) -> None:
    writer = recorder(tmp_path / "out.mp4", [], time_lapse=True)
    for number in range(7):
        writer.put(annotated(number, 600.0 * number))
    writer.end()
    assert len(frames_in(tmp_path / "out.mp4")) == 7


def test_a_recording_without_frames_leaves_nothing(tmp_path: Path) -> None:
    recorder(tmp_path / "out.mp4", []).end()
    assert list(tmp_path.iterdir()) == []


def test_where_a_recording_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"cannot write \.txt"):
        recorder(tmp_path / "out.txt", [])
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        recorder(tmp_path / "file" / "out.mp4", [])


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
    clock = FakeClock()
    status = StatusLine(terminal=True, clock=clock)
    status.show("x" * 300)
    status.say("news")
    err = capsys.readouterr().err
    assert err == "\r\x1b[2K" + "x" * 29 + "\r\x1b[2Knote: news\n"
    clock.wait(1)
    status.show("10.0 fps | red 0.93 | agree 100.0 %")  # no part of it is cut
    assert capsys.readouterr().err == "\r\x1b[2K10.0 fps | red 0.93"
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
