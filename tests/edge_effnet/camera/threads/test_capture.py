"""Pacing with a fake clock; live sources that break, stall and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from edge_effnet.camera.frames import Frame
from edge_effnet.camera.settings import Pace
from edge_effnet.camera.sources.base import CapturedFrame, FrameSource, SourceEnded, SourceLost
from edge_effnet.camera.threads.capture import Capture
from edge_effnet.camera.threads.queues import BoundedQueue
from edge_effnet.camera.threads.reader import BROKEN_IN_A_ROW
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.conftest import FakeClock, plain

SHOT = CapturedFrame(plain("red"))


def scripted(
    steps: Iterator[object], *, live: bool, fps: float | None = 20.0
) -> tuple[FrameSource, threading.Event]:
    """A source that gives shots, None for a broken one, and raises exceptions, in turn."""
    closed = threading.Event()

    def read() -> CapturedFrame | None:
        step = next(steps, SourceEnded("end"))
        if isinstance(step, Exception):
            raise step
        if callable(step):
            step = step()
        assert step is None or isinstance(step, CapturedFrame)
        return step

    return FrameSource("a camera", live, fps, read, read, closed.set), closed


def run_file(count: int, fps: float, decode_s: float, pace: Pace) -> tuple[Capture, list[Frame]]:
    """Capture a file of ``count`` frames on a fake clock; a frame takes ``decode_s`` to read."""
    clock = FakeClock()

    def slowly() -> CapturedFrame:
        clock.wait(decode_s)
        return SHOT

    frames: BoundedQueue[Frame] = BoundedQueue(10_000)

    def opened() -> FrameSource:
        source = scripted(iter([slowly] * count), live=False, fps=fps)[0]
        # Skipping costs nothing: no frame is decoded.
        left = iter(range(count))

        def read() -> CapturedFrame | None:
            if next(left, None) is None:
                raise SourceEnded("end")
            return slowly()

        def skip() -> None:
            if next(left, None) is None:
                raise SourceEnded("end")

        return FrameSource(source.name, False, fps, read, skip, source.close)

    def wait(seconds: float) -> None:
        clock.wait(seconds)
        if pace.loop and capture.captured >= 3 * count:
            capture.stop.set()

    capture = Capture(opened(), opened, frames, pace, print, clock=clock, wait=wait)
    capture.run()
    taken = []
    while (frame := frames.take(0)) is not None:
        taken.append(frame)
    if capture.error:
        raise capture.error
    return capture, taken


def test_a_file_runs_at_its_own_pace() -> None:
    capture, frames = run_file(50, 25.0, 0.002, Pace())
    assert [frame.number for frame in frames] == list(range(50))
    assert np.allclose(np.diff([frame.captured_s for frame in frames]), 0.04)
    assert np.allclose([frame.time_s for frame in frames], np.arange(50) / 25)
    assert (capture.captured, capture.skipped) == (50, 0)


def test_a_file_that_decodes_too_slowly_skips_as_a_camera_would() -> None:
    capture, frames = run_file(100, 20.0, 0.12, Pace())
    assert capture.captured == 100
    assert capture.skipped == 100 - len(frames)
    assert 35 <= len(frames) <= 45  # one in 0.12 s of 5 s
    positions = [frame.position for frame in frames]
    assert positions == sorted(set(positions))
    assert all(frame.number == frame.position for frame in frames)


def test_every_frame_means_every_frame() -> None:
    capture, frames = run_file(30, 20.0, 1.0, Pace(every_frame=True))
    assert [frame.position for frame in frames] == list(range(30))
    assert capture.skipped == 0


def test_a_looped_file_goes_on_counting_and_starts_its_positions_again() -> None:
    capture, frames = run_file(10, 20.0, 0.0, Pace(loop=True))
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert [frame.position for frame in frames[:25]] == [*range(10), *range(10), *range(5)]
    assert np.allclose(np.diff([frame.time_s for frame in frames]), 0.05)
    assert capture.stop.is_set()


def test_a_file_of_broken_frames_is_an_error() -> None:
    source, closed = scripted(iter([None, None]), live=False)
    frames: BoundedQueue[Frame] = BoundedQueue(1)
    capture = Capture(source, lambda: source, frames, Pace(every_frame=True), print)
    capture.run()
    assert isinstance(capture.error, DataError)
    assert "2 broken ones" in str(capture.error)
    assert closed.is_set()
    assert frames.finished


def run_live(sources: list[FrameSource | Exception], **pace: float) -> tuple[Capture, list[str]]:
    """Run live sources one after the other until all are used up."""
    said: list[str] = []
    waiting = iter(sources[1:])
    done = threading.Event()

    def reopen() -> FrameSource:
        following = next(waiting, None)
        if following is None:
            done.set()
            raise DataError("nothing more", fix="none")
        if isinstance(following, Exception):
            raise following
        return following

    first = sources[0]
    assert isinstance(first, FrameSource)
    settings = {"first_pause_s": 0.001, "longest_pause_s": 0.004, **pace}
    capture = Capture(first, reopen, BoundedQueue(1000), Pace(**settings), said.append)  # type: ignore[arg-type]
    capture.start()
    assert done.wait(30)
    capture.end()
    if capture.error:
        raise capture.error
    return capture, said


def test_an_unplugged_camera_is_opened_again_and_said_so() -> None:
    first, closed = scripted(iter([SHOT, SHOT, SourceLost("it was unplugged")]), live=True)
    second, _ = scripted(iter([SHOT, SourceLost("the stream ended")]), live=True)
    absent = DataError("there is no camera", fix="plug it in")
    capture, said = run_live([first, absent, absent, absent, second])
    assert closed.is_set()
    assert capture.captured == 3
    assert capture.reopened == 1
    assert said[0] == "a camera: it was unplugged; trying to open it again"
    assert said[1] == "there is no camera; trying on"  # once, not three times
    assert said[2] == "a camera is back"


def test_the_pause_doubles_up_to_a_limit() -> None:
    pauses: list[float] = []
    attempts = iter(range(8))
    source, _ = scripted(iter([SHOT, SourceLost("gone")]), live=True)

    def reopen() -> FrameSource:
        if next(attempts, None) is None:
            capture.stop.set()
        raise DataError("no", fix="none")

    pace = Pace(first_pause_s=1, longest_pause_s=10)
    capture = Capture(source, reopen, BoundedQueue(1), pace, lambda _: None, wait=pauses.append)
    capture.start()
    assert capture.stop.wait(30)
    capture.end()
    assert pauses[:6] == [1, 2, 4, 8, 10, 10]


def test_a_camera_that_opens_without_frames_is_not_back() -> None:
    lost = SourceLost("what it sends are no images")
    first, _ = scripted(iter([SHOT, lost]), live=True)
    garbage = [scripted(iter([lost]), live=True)[0] for _ in range(3)]
    last, _ = scripted(iter([SHOT, SourceLost("over")]), live=True)
    pauses: list[float] = []
    waiting: Iterator[FrameSource] = iter([*garbage, last])

    def reopen() -> FrameSource:
        if (following := next(waiting, None)) is None:
            capture.stop.set()
            raise DataError("no", fix="none")
        return following

    said: list[str] = []
    pace = Pace(first_pause_s=1, longest_pause_s=10)
    capture = Capture(first, reopen, BoundedQueue(9), pace, said.append, wait=pauses.append)
    capture.start()
    assert capture.stop.wait(30)
    capture.end()
    assert said[:2] == [
        "a camera: what it sends are no images; trying to open it again",
        "a camera is back",
    ]
    assert capture.reopened == 1
    assert pauses[:5] == [1, 2, 4, 8, 1]


def test_a_camera_that_never_gave_a_frame_is_an_error() -> None:
    source, closed = scripted(iter([None] * BROKEN_IN_A_ROW), live=True)
    capture = Capture(source, lambda: source, BoundedQueue(1), Pace(), print)
    capture.run()
    assert isinstance(capture.error, DataError)
    assert "a camera gives no frames; found 25 broken frames in a row" in str(capture.error)
    assert closed.is_set()


def test_a_stalled_camera_is_given_up() -> None:
    release = threading.Event()

    def hang() -> CapturedFrame:
        release.wait(60)
        return SHOT

    first, closed = scripted(iter([SHOT, hang]), live=True)
    second, _ = scripted(iter([SHOT, SourceLost("over")]), live=True)
    capture, said = run_live([first, second], stall_s=0.3)
    assert said[0].startswith("a camera: no frame for")
    assert capture.captured == 2
    assert not closed.is_set()  # its reader hangs in the driver
    release.set()
    assert closed.wait(10)
    assert capture.captured == 2  # what came too late went nowhere


def test_broken_frames_are_counted_and_too_many_are_a_loss() -> None:
    steps: list[object] = [SHOT, None, SHOT, *[None] * BROKEN_IN_A_ROW, SHOT]
    source, _ = scripted(iter(steps), live=True)
    capture, said = run_live([source])
    assert capture.broken == 1 + BROKEN_IN_A_ROW
    assert capture.captured == 2
    assert "broken frames in a row" in said[0]


def test_a_change_of_resolution_is_said_and_goes_on() -> None:
    shots = [
        SHOT,
        CapturedFrame(plain("blue", 32, 24)),
        CapturedFrame(plain("blue", 32, 24)),
        SourceLost("over"),
    ]
    source, _ = scripted(iter(shots), live=True)
    capture, said = run_live([source])
    assert capture.captured == 3
    assert said[0] == "the frame's size changed: 64x48 to 32x24"
    assert sum("size" in line for line in said) == 1


def test_an_unknown_failure_of_a_reader_ends_the_capture() -> None:
    source, _ = scripted(iter([SHOT, RuntimeError("a bug")]), live=True)
    frames: BoundedQueue[Frame] = BoundedQueue(10)
    capture = Capture(source, lambda: source, frames, Pace(), lambda _: None)
    capture.start()
    assert frames.take(10) is not None
    assert frames.take(60) is None
    capture.end()
    assert isinstance(capture.error, RuntimeError)


def test_end_does_not_wait_for_ever_for_a_hanging_driver() -> None:
    release = threading.Event()

    def hang() -> CapturedFrame:
        release.wait(60)
        return SHOT

    source, _ = scripted(iter([hang]), live=True)
    capture = Capture(source, lambda: source, BoundedQueue(1), Pace(), lambda _: None)
    capture.start()
    began = time.monotonic()
    capture.end()
    assert time.monotonic() - began < 30
    release.set()


@pytest.mark.parametrize("live", [True, False])
def test_stopping_closes_the_source(live: bool) -> None:
    forever = iter(lambda: SHOT, None)
    source, closed = scripted(forever, live=live)
    frames: BoundedQueue[Frame] = BoundedQueue(1)
    capture = Capture(source, lambda: source, frames, Pace(), lambda _: None)
    capture.start()
    assert frames.take(10) is not None
    capture.end()
    assert closed.wait(10)
