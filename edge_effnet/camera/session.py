"""One run of the camera: everything put together, from the first frame to the summary."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from edge_effnet.camera.accuracy.comparison import FeedComparison
from edge_effnet.camera.accuracy.ground_truth import Truth
from edge_effnet.camera.accuracy.shares import Error, Tally
from edge_effnet.camera.answers import UNKNOWN, Verdict, decision, verdict, with_threshold
from edge_effnet.camera.capture import Capture, Pace
from edge_effnet.camera.outputs.frame_publisher import View
from edge_effnet.camera.outputs.hooks import Hooks
from edge_effnet.camera.outputs.jsonl import JsonLines
from edge_effnet.camera.outputs.record import DifferenceSaver, Recorder, Scene
from edge_effnet.camera.outputs.window import Window
from edge_effnet.camera.pipeline import Model, Pipeline
from edge_effnet.camera.queues import Answer, Frame, Handover, Limiter, Pair, Region
from edge_effnet.camera.rates import Meter
from edge_effnet.camera.run_status import page_state, status_line
from edge_effnet.camera.smoothing import Smoother
from edge_effnet.camera.sources.base import Source
from edge_effnet.camera.thermal import Health, Watcher, next_limit
from edge_effnet.heads.head import Head

TELL_EVERY_S = 0.1
IDLE_TELL_EVERY_S = 1.0
CARE_EVERY_S = 4.0
HISTORY_EVERY_S = 1.0


@dataclass(frozen=True)
class Settings:
    """What a run is asked to do.

    Attributes:
        smooth_s: time constant of the smoothing; 0 for none.
        none: the answer of a frame without a class or label.
        threshold: score below which a class is "unknown", or above which a label is answered.
        max_temp_c: the rate is lowered above it, or when the board throttles.
    """

    labels: tuple[str, ...]
    model_name: str
    reference_name: str | None = None
    pace: Pace = field(default_factory=Pace)
    region: Region = field(default_factory=Region)
    fps: float | None = None
    max_temp_c: float = 80.0
    smooth_s: float = 0.0
    threshold: float | None = None
    none: str = UNKNOWN
    top: int = 3
    compare_every: int = 1


@dataclass
class Outputs:
    """Where the answers go; each may be missing."""

    hooks: Hooks | None = None
    lines: JsonLines | None = None
    view: View | None = None
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
        watcher: of the board; None leaves its care out.
    """

    def __init__(
        self,
        settings: Settings,
        source: Source,
        reopen: Callable[[], Source],
        model: Model,
        reference: Model | None = None,
        *,
        truth: Truth | None = None,
        outputs: Outputs | None = None,
        notes: SimpleQueue[str] | None = None,
        say: Callable[[str], None] = lambda _: None,
        show_status: Callable[[str], None] = lambda _: None,
        watcher: Watcher | None = None,
    ) -> None:
        self.settings, self.source_name = settings, source.name
        self.meter = Meter()
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
        self.with_truth, self.right, self.error = truth is not None, Tally(in_time=in_time), Error()
        every_frame = settings.pace.every_frame
        self._frames: Handover[Frame] = Handover(3 if every_frame else 1, wait=every_frame)
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
        self._say, self._show_status, self._watcher = say, show_status, watcher
        self._smoothers = Smoother(settings.smooth_s), Smoother(settings.smooth_s)
        self.verdict: Verdict | None = None
        self.reference_verdict: Verdict | None = None
        self.said: deque[str] = deque(maxlen=4)
        self._throttled: tuple[str, ...] = ()
        self.began_s = time.monotonic()
        self._due = dict.fromkeys(("tell", "care", "history"), 0.0)

    def run(self) -> None:
        """Until the source ends or KeyboardInterrupt comes, which is a proper end too.

        Raises:
            EdgeEffnetError: what ended the capture or a model.
        """
        if self._watcher is not None:
            self._watcher.start()
        self._pipeline.start()
        self.capture.start()
        try:
            self._loop()
        except KeyboardInterrupt:
            pass
        finally:
            self.capture.end()
            self._pipeline.end()
            if self._watcher is not None:
                self._watcher.end()
            self._outputs.end()
            self._tell_notes()
        for error in (self._pipeline.error, self.capture.error):
            if error is not None:
                raise error

    def _loop(self) -> None:
        results = self._pipeline.results
        while True:
            result = results.take(0.1)
            if isinstance(result, Answer):
                self._take_answer(result)
            elif isinstance(result, Pair):
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

    def _take_answer(self, answer: Answer) -> None:
        settings, outputs, frame = self.settings, self._outputs, answer.frame
        self.meter.add(answer)
        smooth = self._smoothers[0].add(answer.scores, frame.time_s)
        seen = self._verdict(smooth, self.head)
        self.verdict = seen
        if self._truth is not None and (true := self._truth(frame)) is not None:
            if self.head.task == "value":
                self.error.add(answer.scores, true)
            else:
                self.right.add(answer.scene, decision(self.head, answer.scores) == true)
        if outputs.hooks is not None:
            outputs.hooks.see(seen.answers, frame.number)
        if outputs.lines is not None:
            outputs.lines.answer(answer, seen, settings.labels, self.head)
        if outputs.view is not None:
            outputs.view.publish(frame.pixels)
        if outputs.recorder is not None or outputs.window is not None:
            scene = Scene(frame, self._verdicts(), status_line(self, answers=False))
            if outputs.recorder is not None:
                outputs.recorder.put(scene)
            if outputs.window is not None:
                outputs.window.show(scene, settings.region)

    def _take_pair(self, pair: Pair) -> None:
        feed = self.comparison
        assert feed is not None  # noqa: S101 (pairs come from a reference)
        settings, outputs, frame = self.settings, self._outputs, pair.answer.frame
        self.meter.add_pair(pair)
        smooth = self._smoothers[1].add(pair.reference_scores, frame.time_s)
        self.reference_verdict = self._verdict(smooth, feed.heads[1])
        true, saved = self._truth(frame) if self._truth is not None else None, None
        if outputs.saver is not None and (names := feed.different(pair)):
            saved = outputs.saver.put(frame, *names)
            if settings.region != Region():
                saved = None  # the whole frame is kept: not what the models saw
        agree = feed.add(pair, true, frame.path or saved)
        if outputs.lines is not None:
            outputs.lines.pair(pair, agree, settings.labels, feed.heads[1])

    def _verdict(self, scores: NDArray[np.float32], head: Head) -> Verdict:
        settings = self.settings
        return verdict(
            scores, settings.labels, head, top=settings.top, threshold=settings.threshold
        )

    def _verdicts(self) -> tuple[tuple[str, Verdict], ...]:
        seen = (("model", self.verdict), ("float", self.reference_verdict))
        return tuple((role, one) for role, one in seen if one is not None)

    # What happens now and then

    def _tick(self) -> None:
        self._tell_notes()
        now = time.monotonic()
        if now >= self._due["care"]:
            self._due["care"] = now + CARE_EVERY_S
            self._care(now)
        if now >= self._due["history"] and self.comparison is not None:
            self._due["history"] = now + HISTORY_EVERY_S
            self.comparison.mark_history(now - self.began_s)
        if now >= self._due["tell"]:
            watched = self._outputs.view is not None and self._outputs.view.watched
            self._due["tell"] = now + (TELL_EVERY_S if watched else IDLE_TELL_EVERY_S)
            self._show_status(status_line(self))
            if self._outputs.view is not None:
                self._outputs.view.tell(page_state(self))

    def _tell_notes(self) -> None:
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
    def health(self) -> Health:
        return self._watcher.health if self._watcher is not None else Health()

    def _care(self, now: float) -> None:
        health, before = self.health, self.limiter.fps
        if health.throttled and health.throttled != self._throttled:
            self._notes.put(f"the board slows itself down: {', '.join(health.throttled)}")
        self._throttled = health.throttled
        running = self.meter.fps(now)
        limit = next_limit(before, running, health, self.settings.max_temp_c, self.settings.fps)
        self.limiter.fps = limit
        if limit == before:
            return
        hot = "" if health.temperature_c is None else f" at {health.temperature_c:.0f} °C"
        rate = "no limit" if limit is None else f"{limit:.1f} frames a second"
        self._notes.put(f"the rate is now {rate}{hot}")
