"""What a stopped or hanging capture leaves behind: no open source, and few threads."""

from __future__ import annotations

import os
import signal
import threading
from itertools import count

import pytest

from edge_effnet.camera.settings import Pace
from edge_effnet.camera.sources.apart import open_apart
from edge_effnet.camera.sources.base import CapturedFrame, FrameSource, SourceLost
from edge_effnet.camera.threads.capture import MOST_HANGING, Capture
from edge_effnet.camera.threads.queues import BoundedQueue
from tests.edge_effnet.camera.conftest import plain, wait_for

SHOT = CapturedFrame(plain("red"))
QUICK = Pace(stall_s=0.1, first_pause_s=0.01, longest_pause_s=0.02)


def test_readers_that_hang_in_a_driver_are_few_and_waited_for() -> None:
    release, opened, said = threading.Event(), count(), list[str]()
    first_frame = iter([SHOT])

    def hang() -> CapturedFrame:
        if (shot := next(first_frame, None)) is not None:
            return shot
        release.wait(60)
        raise SourceLost("over")

    def reopen() -> FrameSource:
        next(opened)
        return FrameSource("a camera", True, None, hang, hang, lambda: None)

    capture = Capture(reopen(), reopen, BoundedQueue(1), QUICK, said.append)
    capture.start()
    wait_for(lambda: any("hangs in its driver" in line for line in said))
    assert next(opened) == MOST_HANGING  # of those opened, all hang
    release.set()
    wait_for(lambda: next(opened) > MOST_HANGING + 2)  # it goes on
    capture.end()


def test_frames_that_come_after_the_end_are_not_counted() -> None:
    reads = count()

    def read() -> CapturedFrame:
        if next(reads) == 3:
            capture.stop.set()
        return SHOT

    camera = FrameSource("a camera", True, None, read, read, lambda: None)
    capture = Capture(camera, lambda: camera, BoundedQueue(1), QUICK, print)
    capture.run()
    assert capture.captured == 3


def test_a_source_that_opens_after_the_end_is_closed() -> None:
    opening, release, closed = threading.Event(), threading.Event(), threading.Event()

    def lost() -> CapturedFrame:
        raise SourceLost("gone")

    def reopen() -> FrameSource:
        opening.set()
        release.wait(60)
        return FrameSource("a camera", True, None, lost, lost, closed.set)

    shots = iter([SHOT])
    first = FrameSource("a camera", True, None, lambda: next(shots, None), lost, lambda: None)
    capture = Capture(first, reopen, BoundedQueue(1), QUICK, print)
    capture.start()
    assert opening.wait(20)
    capture.end(timeout_s=0.1)
    release.set()
    assert closed.wait(20)


def test_ctrl_c_ends_the_wait_for_a_camera_and_what_opens_later_is_closed() -> None:
    release, closed = threading.Event(), threading.Event()

    def slowly() -> FrameSource:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        release.wait(60)
        return FrameSource("a camera", True, None, lambda: SHOT, lambda: None, closed.set)

    with pytest.raises(KeyboardInterrupt):
        open_apart(slowly)
    release.set()
    assert closed.wait(20)


def test_what_goes_wrong_on_opening_is_raised_where_it_was_asked() -> None:
    def fails() -> FrameSource:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        open_apart(fails)
