"""Cameras that send anything at any pace: each is lost in time and leaves nothing behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from edge_effnet.camera.frames import Frame
from edge_effnet.camera.settings import Pace
from edge_effnet.camera.sources.base import FrameSource, SourceLost
from edge_effnet.camera.sources.mjpeg import open_mjpeg
from edge_effnet.camera.threads.capture import Capture
from edge_effnet.camera.threads.queues import BoundedQueue
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.conftest import wait_for
from tests.edge_effnet.camera.hostile import (
    GOOD,
    SCRIPTS,
    STREAM,
    Script,
    claiming,
    dripping,
    hostile_camera,
    many_scans,
    part,
)

QUICK = Pace(stall_s=0.5, first_pause_s=0.02, longest_pause_s=0.1)


def opened(address: str, timeout_s: float = 0.7) -> FrameSource:
    source = open_mjpeg(address, timeout_s=timeout_s)
    if isinstance(source, str):
        raise DataError("no MJPEG", fix="none")
    return source


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def survives(name: str) -> bool:
    """Whether a camera that works, turns hostile, and works again is read again at the end."""
    turns, served = iter(["good", name, name]), list[str]()

    def choose(_: str) -> Script:
        served.append(next(turns, "good"))
        return SCRIPTS[served[-1]]()

    with hostile_camera(choose) as address:
        frames: BoundedQueue[Frame] = BoundedQueue(1)
        capture = Capture(opened(address), lambda: opened(address), frames, QUICK, lambda _: None)
        capture.start()
        with suppress(AssertionError):
            wait_for(lambda: served[-2:] == ["good", "good"] and capture.reopened > 1, 30)
        capture.end()
        return capture.error is None and served.count("good") > 2 and capture.reopened > 1


def test_a_camera_that_turns_hostile_is_read_again_afterwards() -> None:
    names = [name for name in SCRIPTS if "video" not in name]  # these are FFmpeg's
    before, threads = descriptors(), threading.active_count()
    with ThreadPoolExecutor(8) as together:
        results = dict(zip(names, together.map(survives, names), strict=True))
    assert [name for name, survived in results.items() if not survived] == []
    wait_for(lambda: threading.active_count() <= threads)
    assert descriptors() <= before


def test_a_reader_that_waits_is_woken_and_closes_its_connection() -> None:
    """Else each reconnect leaves a thread and a descriptor until the system has none left."""
    with hostile_camera(lambda _: iter([STREAM, part(GOOD), 60.0])) as address:
        before = descriptors()
        capture = Capture(
            opened(address, 60), lambda: opened(address, 60), BoundedQueue(1), QUICK, print
        )
        capture.start()
        wait_for(lambda: capture.reopened >= 3)
        capture.end()
        wait_for(lambda: descriptors() <= before + 1)  # the server's own end of the last one


@pytest.mark.parametrize("dripped", [b"HTTP/1.1 200 OK" + b" " * 90, STREAM + b" " * 90])
def test_headers_that_drip_are_given_up_in_time(dripped: bytes) -> None:
    """Every byte is in time, the whole is not."""
    answer = dripped.replace(b"\r\n\r\n", b"\r\n")
    server, message = hostile_camera(lambda _: dripping(answer, 0.05)), "found no answer in time"
    with server as address, pytest.raises(DataError, match=message):
        open_mjpeg(address, timeout_s=1.0)


def test_a_tls_handshake_is_given_up_in_time() -> None:
    server, message = hostile_camera(lambda _: iter([60.0])), "found no answer in time"
    with server as address, pytest.raises(DataError, match=message):
        open_mjpeg(address.replace("http", "https"), timeout_s=0.5)


def test_a_length_of_thousands_of_digits_loses_the_stream_and_not_the_run() -> None:
    with hostile_camera(lambda _: SCRIPTS["length of 5,000 digits"]()) as address:
        source = opened(address)
        assert source.read() is not None
        with pytest.raises(SourceLost, match="EDGE_EFFNET_MAX_FRAME_BYTES raises the limit"):
            source.read()
        source.close()


def test_frames_that_claim_too_much_are_dropped_and_the_next_one_is_read() -> None:
    parts = [claiming(GOOD, 65535, 65535), many_scans(4000, 4000, 900), GOOD[:-2], GOOD]
    with hostile_camera(lambda _: iter([STREAM, *map(part, parts)])) as address:
        source = opened(address)
        assert [source.read() is not None for _ in parts] == [False, False, False, True]
        source.close()


def test_the_limit_of_a_frame_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_EFFNET_MAX_FRAME_PIXELS", "3000")  # GOOD has 64 x 48
    with hostile_camera(lambda _: iter([STREAM, part(GOOD)])) as address:
        source = opened(address)
        assert source.read() is None
        source.close()


def test_a_wrong_length_costs_its_frame_alone() -> None:
    parts = [part(GOOD, 40), part(GOOD), part(GOOD, len(GOOD) - 7), part(GOOD)]
    with hostile_camera(lambda _: iter([STREAM, *parts])) as address:
        source = opened(address)
        read = []
        with suppress(SourceLost):
            while True:
                read.append(source.read() is not None)
        assert sum(read) >= 2
        source.close()
