"""One run of the camera: everything put together, from the first frame to the summary."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from edge_effnet.camera.answering import Answering, FeedModels
from edge_effnet.camera.evaluation.ground_truth import GroundTruth
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.frames import ComparedFrame, FrameScores, Region
from edge_effnet.camera.outputs.group import Outputs
from edge_effnet.camera.outputs.record import AnnotatedFrame
from edge_effnet.camera.run_status import RunStatus, page_status, status_line
from edge_effnet.camera.sources.base import FrameSource
from edge_effnet.camera.thermal import BoardMonitor, RateCare
from edge_effnet.camera.threads.capture import Capture, frame_queue
from edge_effnet.camera.threads.pipeline import Pipeline
from edge_effnet.camera.threads.queues import Limiter

STATUS_EVERY_S = 0.1
UNWATCHED_STATUS_EVERY_S = 1.0
RATE_EVERY_S = 4.0
HISTORY_EVERY_S = 1.0
DECODED_AHEAD_S = 1.0
"""A camera's frames are decoded this long before the next answer is due: from a slow one, too,
the newest is there then."""
FRESHEST_S = 2.0


class Session:
    """Runs one feed in the caller's thread until it ends, is stopped, or fails.

    Args:
        source: open; ``reopen`` opens it again.
        notes: a queue of lines for the user, which other threads fill too.
        say: tells the user something, from the caller's thread.
        taps: of viewers of the page, who tell the class of frames.
        new_models: asked often for models that shall take over.
        show_status: called often with the status line.
        monitor: of the board; None leaves its temperature out.
    """

    def __init__(
        self,
        models: FeedModels,
        source: FrameSource,
        reopen: Callable[[], FrameSource],
        *,
        truth: GroundTruth | None = None,
        taps: Taps | None = None,
        new_models: Callable[[], FeedModels | None] = lambda: None,
        outputs: Outputs | None = None,
        notes: SimpleQueue[str] | None = None,
        say: Callable[[str], None] = lambda _: None,
        show_status: Callable[[str], None] = lambda _: None,
        monitor: BoardMonitor | None = None,
    ) -> None:
        settings = models.settings
        frames = frame_queue(settings.pace)
        self._notes = notes or SimpleQueue()
        limiter = Limiter(settings.fps, wait=frames.wait_finished)
        capture = Capture(
            source,
            reopen,
            frames,
            settings.pace,
            self._notes.put,
            wanted=lambda: frames.awaited or limiter.due_in_s <= DECODED_AHEAD_S,
        )
        self._truth, self._outputs = truth, outputs or Outputs()
        self._say, self._show_status = say, show_status
        self._care = RateCare(settings.max_temp_c, settings.fps, self._notes.put)
        self._status_due_s = self._rate_due_s = self._history_due_s = 0.0
        self._new_models, self._coming = new_models, deque[FeedModels]()
        self._turn, self._taps = 0, taps
        in_time = source.live or source.fps is not None
        self._answering = partial(
            Answering,
            source_name=source.name,
            with_truth=truth is not None,
            in_time=in_time,
            taps=taps,
        )
        self.status = RunStatus(
            self._answering(models),
            source.name,
            truth is not None,
            capture,
            frames,
            limiter,
            monitor,
            taps,
        )
        self._pipeline = Pipeline(
            models.model,
            models.reference,
            frames,
            limiter=limiter,
            region=settings.region,
            every_frame=settings.pace.every_frame,
            freshest_s=FRESHEST_S if source.live else None,
            compare_every=settings.compare_every,
        )

    @property
    def problems(self) -> list[str]:
        """Why an output is cut or missing, after ``run``."""
        return self._outputs.problems

    @property
    def saved(self) -> list[dict[str, Any]]:
        """Frames that were kept for their answer, as JSON, after ``run``."""
        return self._outputs.saved

    def run(self) -> RunStatus:
        """Until the source ends or KeyboardInterrupt comes, which is a proper end too.

        Raises:
            EdgeEffnetError: what ended the capture or a model.
        """
        capture, monitor = self.status.capture, self.status.monitor
        if monitor is not None:
            monitor.start()
        self._pipeline.start()
        capture.start()
        try:
            self._loop()
        except KeyboardInterrupt:
            pass
        finally:
            if self._outputs.systemd is not None:
                self._outputs.systemd.stopping()
            self._outputs.end_answers()
            capture.end()
            self._pipeline.end()
            if monitor is not None:
                monitor.end()
            self._outputs.end()
            self._forward_notes()
        for error in (self._pipeline.error, capture.error):
            if error is not None:
                raise error
        return self.status

    def _loop(self) -> None:
        results = self._pipeline.results
        while True:
            result = results.take(0.1)
            if isinstance(result, FrameScores):
                self._take_scores(result)
            elif isinstance(result, ComparedFrame):
                self._take_compared(result)
            elif results.finished:
                return
            self._tick()
            if self._outputs.window is not None and self._outputs.window.closed:
                return

    def _take_scores(self, scores: FrameScores) -> None:
        status, outputs, frame = self.status, self._outputs, scores.frame
        while self._turn < scores.turn:
            self._turn += 1
            self._begin(self._coming.popleft())
        answering = status.answering
        status.rates.add(scores)
        true = self._truth(frame) if self._truth is not None else None
        shown = answering.add(scores, true)
        if outputs.collector is not None:
            outputs.collector.see(scores, unknown=answering.is_unknown(scores))
        for output in outputs.answers:
            output.see(shown, frame)
        if outputs.jsonl is not None:
            outputs.jsonl.answer(scores, shown, answering.settings.labels, answering.head)
        if outputs.publisher is not None:
            outputs.publisher.publish(frame.pixels, frame.captured_s)
        if outputs.recorder is not None or outputs.window is not None:
            line = status_line(status, answers=False)
            annotated = AnnotatedFrame(frame, answering.decisions, line)
            if outputs.recorder is not None:
                outputs.recorder.put(annotated)
            if outputs.window is not None:
                outputs.window.show(annotated, answering.settings.region)

    def _take_compared(self, pair: ComparedFrame) -> None:
        status, outputs, frame = self.status, self._outputs, pair.answer.frame
        models, current = status.answering, pair.answer.turn == self._turn
        if not current and status.before is not None:
            models, _ = status.before  # they have just gone
        comparison, settings = models.comparison, models.settings
        if comparison is None or pair.answer.turn < self._turn - 1:
            return
        if current:
            status.rates.add_compared(pair)
        models.add_reference(pair)
        true, saved = self._truth(frame) if self._truth is not None else None, None
        names = comparison.different(pair)
        if outputs.collector is not None and names and current:
            outputs.collector.see_pair(pair)
        if outputs.saver is not None and names:
            saved = outputs.saver.put(frame, *names)
            if settings.region != Region():
                saved = None  # the whole frame is kept: not what the models saw
        agree = comparison.add(pair, true, frame.path or saved)
        if outputs.jsonl is not None:
            outputs.jsonl.pair(pair, agree, settings.labels, comparison.heads[1])

    def _begin(self, models: FeedModels) -> None:
        """The next answers are those of other models."""
        self.status.begin(self._answering(models))
        self._outputs.take_over(models.settings)
        if self._taps is not None:
            self._taps.take_over(models.settings.labels)

    # What happens now and then

    def _tick(self) -> None:
        self._forward_notes()
        if (models := self._new_models()) is not None:
            self._coming.append(models)
            self._pipeline.take_over(models.model, models.reference)
        now, status, publisher = time.monotonic(), self.status, self._outputs.publisher
        if (told := status.answering.told) is not None:
            told.update()
        for output in self._outputs.answers:
            output.tick(away=status.capture.away)
        if self._outputs.systemd is not None:
            self._outputs.systemd.tick(status)
        if now >= self._rate_due_s:
            self._rate_due_s = now + RATE_EVERY_S
            limiter, running = status.limiter, status.rates.fps(now)
            limiter.fps = self._care.adjust(limiter.fps, running, status.health)
        if now >= self._history_due_s and status.answering.comparison is not None:
            self._history_due_s = now + HISTORY_EVERY_S
            status.answering.comparison.mark_history(now - status.began_s)
        if now >= self._status_due_s:
            watched = publisher is not None and publisher.watched
            self._status_due_s = now + (STATUS_EVERY_S if watched else UNWATCHED_STATUS_EVERY_S)
            self._show_status(status_line(status))
            if publisher is not None:
                publisher.publish_status(page_status(status))

    def _forward_notes(self) -> None:
        while True:
            try:
                note = self._notes.get_nowait()
            except Empty:
                return
            self.status.notes.append(note)
            self._say(note)
            if self._outputs.jsonl is not None:
                self._outputs.jsonl.note(note)
