"""One run of the camera: everything put together, from the first frame to the summary."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from edge_effnet.camera.accuracy.comparison import FeedComparison
from edge_effnet.camera.accuracy.ground_truth import GroundTruth
from edge_effnet.camera.accuracy.shares import AbsoluteError, Tally
from edge_effnet.camera.answers import (
    Decision,
    Smoother,
    answered_indices,
    decide,
    with_threshold,
)
from edge_effnet.camera.capture import Capture
from edge_effnet.camera.frames import ComparedFrame, Frame, FrameScores, Region
from edge_effnet.camera.options import SessionSettings
from edge_effnet.camera.outputs.frame_publisher import FramePublisher
from edge_effnet.camera.outputs.hooks import CommandHooks
from edge_effnet.camera.outputs.jsonl import JsonLines
from edge_effnet.camera.outputs.record import AnnotatedFrame, DifferenceSaver, Recorder
from edge_effnet.camera.outputs.window import Window
from edge_effnet.camera.pipeline import Model, Pipeline
from edge_effnet.camera.queues import BoundedQueue, Limiter
from edge_effnet.camera.rates import Rates
from edge_effnet.camera.run_status import page_status, status_line
from edge_effnet.camera.sources.base import FrameSource
from edge_effnet.camera.thermal import BoardHealth, BoardMonitor, next_limit
from edge_effnet.heads.head import Head

STATUS_EVERY_S = 0.1
IDLE_STATUS_EVERY_S = 1.0
RATE_EVERY_S = 4.0
HISTORY_EVERY_S = 1.0


@dataclass
class Outputs:
    """Where the answers go; each may be missing."""

    hooks: CommandHooks | None = None
    lines: JsonLines | None = None
    publisher: FramePublisher | None = None
    recorder: Recorder | None = None
    saver: DifferenceSaver | None = None
    window: Window | None = None

    def end(self) -> None:
        for output in (self.recorder, self.saver, self.window, self.lines):
            if output is not None:
                output.end()
        if self.hooks is not None:
            self.hooks.finish()


class Session:
    """Runs one feed in the caller's thread until it ends, is stopped, or fails.

    Args:
        source: open; ``reopen`` opens it again.
        say: tells the user something, from the caller's thread.
        show_status: called often with the status line.
        monitor: of the board; None leaves its care out.
    """

    def __init__(
        self,
        settings: SessionSettings,
        source: FrameSource,
        reopen: Callable[[], FrameSource],
        model: Model,
        reference: Model | None = None,
        *,
        truth: GroundTruth | None = None,
        outputs: Outputs | None = None,
        notes: SimpleQueue[str] | None = None,
        say: Callable[[str], None] = lambda _: None,
        show_status: Callable[[str], None] = lambda _: None,
        monitor: BoardMonitor | None = None,
    ) -> None:
        self.settings, self.source_name = settings, source.name
        self.rates = Rates()
        in_time = source.live or source.fps is not None
        self.head = with_threshold(model.head, settings.threshold)
        self.comparison: FeedComparison | None = None
        if reference is not None:
            self.comparison = FeedComparison(
                settings.labels,
                source.name,
                heads=(self.head, with_threshold(reference.head, settings.threshold)),
                with_truth=truth is not None,
                in_time=in_time,
            )
        self.with_truth, self.right, self.error = (
            truth is not None,
            Tally(in_time=in_time),
            AbsoluteError(),
        )
        every_frame = settings.pace.every_frame
        self._frames: BoundedQueue[Frame] = BoundedQueue(3 if every_frame else 1, wait=every_frame)
        self._notes = notes or SimpleQueue()
        self.capture = Capture(source, reopen, self._frames, settings.pace, self._notes.put)
        self.limiter = Limiter(settings.fps, wait=self.capture.stop.wait)
        self._pipeline = Pipeline(
            model,
            reference,
            self._frames,
            limiter=self.limiter,
            region=settings.region,
            every_frame=every_frame,
            compare_every=settings.compare_every,
        )
        self._truth, self._outputs = truth, outputs or Outputs()
        self._say, self._show_status, self._monitor = say, show_status, monitor
        self._smoothers = Smoother(settings.smooth_s), Smoother(settings.smooth_s)
        self.decision: Decision | None = None
        self.reference_decision: Decision | None = None
        self.said: deque[str] = deque(maxlen=4)
        self._throttled: tuple[str, ...] = ()
        self.began_s = time.monotonic()
        self._due = dict.fromkeys(("status", "care", "history"), 0.0)

    def run(self) -> None:
        """Until the source ends or KeyboardInterrupt comes, which is a proper end too.

        Raises:
            EdgeEffnetError: what ended the capture or a model.
        """
        if self._monitor is not None:
            self._monitor.start()
        self._pipeline.start()
        self.capture.start()
        try:
            self._loop()
        except KeyboardInterrupt:
            pass
        finally:
            self.capture.end()
            self._pipeline.end()
            if self._monitor is not None:
                self._monitor.end()
            self._outputs.end()
            self._forward_notes()
        for error in (self._pipeline.error, self.capture.error):
            if error is not None:
                raise error

    def _loop(self) -> None:
        results = self._pipeline.results
        while True:
            result = results.take(0.1)
            if isinstance(result, FrameScores):
                self._take_answer(result)
            elif isinstance(result, ComparedFrame):
                self._take_pair(result)
            elif results.finished:
                return
            self._tick()
            if self._outputs.window is not None and self._outputs.window.closed:
                return

    @property
    def dropped(self) -> int:
        """Frames that were captured and not answered, because a newer one was there."""
        return self._frames.dropped + self.capture.skipped

    def _take_answer(self, answer: FrameScores) -> None:
        settings, outputs, frame = self.settings, self._outputs, answer.frame
        self.rates.add(answer)
        smooth = self._smoothers[0].add(answer.scores, frame.time_s)
        seen = self._decide(smooth, self.head)
        self.decision = seen
        if self._truth is not None and (true := self._truth(frame)) is not None:
            if self.head.task == "value":
                self.error.add(answer.scores, true)
            else:
                self.right.add(answer.scene, answered_indices(self.head, answer.scores) == true)
        if outputs.hooks is not None:
            outputs.hooks.see(seen.answers, frame.number)
        if outputs.lines is not None:
            outputs.lines.answer(answer, seen, settings.labels, self.head)
        if outputs.publisher is not None:
            outputs.publisher.publish(frame.pixels)
        if outputs.recorder is not None or outputs.window is not None:
            scene = AnnotatedFrame(frame, self._decisions(), status_line(self, answers=False))
            if outputs.recorder is not None:
                outputs.recorder.put(scene)
            if outputs.window is not None:
                outputs.window.show(scene, settings.region)

    def _take_pair(self, pair: ComparedFrame) -> None:
        feed = self.comparison
        assert feed is not None  # noqa: S101 (pairs come from a reference)
        settings, outputs, frame = self.settings, self._outputs, pair.answer.frame
        self.rates.add_pair(pair)
        smooth = self._smoothers[1].add(pair.reference_scores, frame.time_s)
        self.reference_decision = self._decide(smooth, feed.heads[1])
        true, saved = self._truth(frame) if self._truth is not None else None, None
        if outputs.saver is not None and (names := feed.different(pair)):
            saved = outputs.saver.put(frame, *names)
            if settings.region != Region():
                saved = None  # the whole frame is kept: not what the models saw
        agree = feed.add(pair, true, frame.path or saved)
        if outputs.lines is not None:
            outputs.lines.pair(pair, agree, settings.labels, feed.heads[1])

    def _decide(self, scores: NDArray[np.float32], head: Head) -> Decision:
        settings = self.settings
        return decide(scores, settings.labels, head, top=settings.top, threshold=settings.threshold)

    def _decisions(self) -> tuple[tuple[str, Decision], ...]:
        seen = (("model", self.decision), ("float", self.reference_decision))
        return tuple((role, one) for role, one in seen if one is not None)

    # What happens now and then

    def _tick(self) -> None:
        self._forward_notes()
        now = time.monotonic()
        if now >= self._due["care"]:
            self._due["care"] = now + RATE_EVERY_S
            self._adjust_rate(now)
        if now >= self._due["history"] and self.comparison is not None:
            self._due["history"] = now + HISTORY_EVERY_S
            self.comparison.mark_history(now - self.began_s)
        if now >= self._due["status"]:
            watched = self._outputs.publisher is not None and self._outputs.publisher.watched
            self._due["status"] = now + (STATUS_EVERY_S if watched else IDLE_STATUS_EVERY_S)
            self._show_status(status_line(self))
            if self._outputs.publisher is not None:
                self._outputs.publisher.publish_status(page_status(self))

    def _forward_notes(self) -> None:
        while True:
            try:
                note = self._notes.get_nowait()
            except Empty:
                return
            self.said.append(note)
            self._say(note)
            if self._outputs.lines is not None:
                self._outputs.lines.note(note)

    @property
    def health(self) -> BoardHealth:
        return self._monitor.health if self._monitor is not None else BoardHealth()

    def _adjust_rate(self, now: float) -> None:
        health, before = self.health, self.limiter.fps
        if health.throttled and health.throttled != self._throttled:
            self._notes.put(f"the board slows itself down: {', '.join(health.throttled)}")
        self._throttled = health.throttled
        running = self.rates.fps(now)
        limit = next_limit(before, running, health, self.settings.max_temp_c, self.settings.fps)
        self.limiter.fps = limit
        if limit == before:
            return
        hot = "" if health.temperature_c is None else f" at {health.temperature_c:.0f} °C"
        rate = "no limit" if limit is None else f"{limit:.1f} frames a second"
        self._notes.put(f"the rate is now {rate}{hot}")
