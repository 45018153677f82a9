"""One answer in a while: frames between are not decoded, and each answer is about a fresh one."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_effnet.camera.frames import Frame, FrameScores
from edge_effnet.camera.settings import Pace
from edge_effnet.camera.sources.base import CapturedFrame, FrameSource, SourceLost
from edge_effnet.camera.thermal import BoardHealth, next_limit
from edge_effnet.camera.threads.capture import Capture
from edge_effnet.camera.threads.pipeline import Pipeline
from edge_effnet.camera.threads.queues import BoundedQueue, Limiter
from tests.edge_effnet.camera.conftest import (
    Cli,
    FakeClock,
    MakeClip,
    Serve,
    jpeg,
    plain,
    send_stream,
)
from tests.edge_effnet.camera.sessions import Gated, frame_of, stopped_clock
from tests.edge_effnet.conftest import MakeModel

SHOT = CapturedFrame(plain("red"))


def test_unwanted_frames_are_passed_over_undecoded_and_counted() -> None:
    done: list[str] = []
    over = threading.Event()

    def step(what: str) -> CapturedFrame:
        if len(done) == 30:
            over.set()
            raise SourceLost("over")
        done.append(what)
        return SHOT

    source = FrameSource(
        "a camera", True, 20.0, lambda: step("read"), lambda: step("skip"), lambda: None
    )
    frames: BoundedQueue[Frame] = BoundedQueue(100)
    wanted = lambda: len(done) % 10 == 0  # noqa: E731
    pace = Pace(first_pause_s=60)
    capture = Capture(source, lambda: source, frames, pace, lambda _: None, wanted=wanted)
    capture.start()
    assert over.wait(20)
    capture.end()
    assert done == (["read"] + ["skip"] * 9) * 3
    assert (capture.captured, capture.skipped) == (30, 27)


def test_a_camera_is_back_with_a_frame_that_nobody_wants() -> None:
    said: list[str] = []
    steps: list[Iterator[object]] = [iter([SHOT, SourceLost("gone")]), iter([SHOT, SHOT])]
    over = threading.Event()

    def opened() -> FrameSource:
        frames = steps.pop(0)

        def step() -> CapturedFrame:
            one = next(frames, None)
            if one is None:
                over.set()
                time.sleep(0.01)
                return SHOT
            if isinstance(one, Exception):
                raise one
            return SHOT

        return FrameSource("a camera", True, None, step, step, lambda: None)

    capture = Capture(
        opened(),
        opened,
        BoundedQueue(1),
        Pace(first_pause_s=0.01),
        said.append,
        wanted=lambda: not said,
    )
    capture.start()
    assert over.wait(20)
    capture.end()
    assert said == ["a camera: gone; trying to open it again", "a camera is back"]
    assert capture.reopened == 1
    assert not capture.away


def test_a_frame_from_before_the_camera_went_is_not_answered() -> None:
    frames = BoundedQueue[Frame](1)
    old = frame_of(1)
    new = Frame(old.pixels, 2, 2, 0.0, captured_s=100.0)
    clock = FakeClock()
    pipeline = Pipeline(Gated(), None, frames, freshest_s=2.0, clock=clock)
    frames.put(old)  # captured at 0, and the clock says 100
    pipeline.start()
    while frames.dropped == 0:
        time.sleep(0.001)
    frames.put(new)
    pipeline._pair.model.let_answer()  # type: ignore[attr-defined]
    answer = pipeline.results.take(20)
    assert isinstance(answer, FrameScores)
    assert answer.frame.number == 2
    pipeline.end()
    assert frames.dropped == 1


def test_who_waits_for_a_frame_is_known() -> None:
    frames: BoundedQueue[Frame] = BoundedQueue(1)
    pipeline = Pipeline(Gated(), None, frames, clock=stopped_clock)
    assert not frames.awaited
    pipeline.start()
    until = time.monotonic() + 20
    while not frames.awaited and time.monotonic() < until:
        time.sleep(0.001)
    assert frames.awaited
    pipeline.end()


def test_the_end_of_the_frames_ends_the_wait_for_the_next_answer() -> None:
    frames: BoundedQueue[Frame] = BoundedQueue(1)
    frames.put(frame_of(1))
    assert not frames.wait_finished(0.01)
    frames.close()
    assert not frames.wait_finished(0.01)  # one is left
    frames.take()
    limiter = Limiter(1 / 3600, wait=frames.wait_finished)
    limiter.turn()
    assert 3590 < limiter.due_in_s <= 3600
    limiter.turn()  # an hour early: nothing comes any more


def test_heat_does_not_hasten_a_slow_rate() -> None:
    assert next_limit(0.1, 0.1, BoardHealth(90.0), 80, 0.1) == pytest.approx(0.1)


def test_a_video_at_its_own_pace(cli: Cli, colour_model: MakeModel, clip: MakeClip) -> None:
    path = clip(["red"] * 20 + ["blue"] * 60, fps=20)
    code, out, err = cli(
        *("--model", colour_model(), "--source", path, "--every", "3s"),
        *("--jsonl", "-", "--quiet"),
    )
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [line["label"] for line in answers] == ["red", "blue"]  # at 0 and 3 s
    assert "80 frames, 2 answered (one in 3 s), 78 dropped" in err


def test_a_video_that_ends_long_before_the_next_answer(
    cli: Cli, colour_model: MakeModel, clip: MakeClip
) -> None:
    path = clip(["red"] * 20, fps=20)
    code, out, _ = cli("--model", colour_model(), "--source", path, "--every", "1h")
    assert code == 0
    assert "20 frames, 1 answered (one in 1 h), 19 dropped" in out


def test_a_network_camera(
    cli: Cli, colour_model: MakeModel, http_camera: Serve, tmp_path: Path
) -> None:
    """25 frames a second for 5 s, then Ctrl-C."""

    def paced() -> Iterator[bytes]:
        for number in range(140):
            time.sleep(0.04)
            if number == 125:
                os.kill(os.getpid(), signal.SIGINT)
            yield jpeg(plain("red"))

    address = http_camera(lambda handler: send_stream(handler, paced()))
    out = tmp_path / "run.json"
    code, _, err = cli(
        *("--model", colour_model(), "--source", address, "--every", "2"),
        *("--json", out, "--quiet"),
    )
    assert code == 0, err
    run = json.loads(out.read_text())
    assert run["every_s"] == 2
    assert 2 <= run["answered"] <= 4
    on_the_way = run["captured"] - run["answered"] - run["dropped"]
    assert 0 <= on_the_way <= 3  # at Ctrl-C
    assert max(run["times"]["delay_ms"]) < 3000
