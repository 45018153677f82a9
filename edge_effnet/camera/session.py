"""One run of the camera: everything put together, from the first frame to the summary."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from edge_effnet.camera.answers import Decision, answered_indices, with_threshold
from edge_effnet.camera.evaluation.comparison import FeedComparison
from edge_effnet.camera.evaluation.ground_truth import GroundTruth
from edge_effnet.camera.evaluation.shares import Tally
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.evaluation.told_frames import ToldFrames
from edge_effnet.camera.evaluation.trained_on import LearnedScenes
from edge_effnet.camera.frames import ComparedFrame, FrameScores, Region
from edge_effnet.camera.outputs.group import Outputs
from edge_effnet.camera.outputs.record import AnnotatedFrame
from edge_effnet.camera.run_status import RunStatus, page_status, status_line
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.sources.base import FrameSource
from edge_effnet.camera.steady import SteadyAnswers
from edge_effnet.camera.thermal import BoardMonitor, next_limit
from edge_effnet.camera.threads.capture import Capture, frame_queue
from edge_effnet.camera.threads.pipeline import FrameModel, Pipeline
from edge_effnet.camera.threads.queues import Limiter
from edge_effnet.data.division.trained_on import TrainingRecord
from edge_effnet.heads.unknown import is_unknown

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
        records: of the models' trainings: told frames like those they learned from do not count.
        show_status: called often with the status line.
        monitor: of the board; None leaves its temperature out.
    """

    def __init__(
        self,
        settings: SessionSettings,
        source: FrameSource,
        reopen: Callable[[], FrameSource],
        model: FrameModel,
        reference: FrameModel | None = None,
        *,
        truth: GroundTruth | None = None,
        taps: Taps | None = None,
        records: Sequence[TrainingRecord] = (),
        outputs: Outputs | None = None,
        notes: SimpleQueue[str] | None = None,
        say: Callable[[str], None] = lambda _: None,
        show_status: Callable[[str], None] = lambda _: None,
        monitor: BoardMonitor | None = None,
    ) -> None:
        in_time = source.live or source.fps is not None
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
        head = with_threshold(model.head, settings.threshold)
        comparison = None
        if reference is not None:
            comparison = FeedComparison(
                settings.labels,
                source.name,
                heads=(head, with_threshold(reference.head, settings.threshold)),
                with_truth=truth is not None,
                in_time=in_time,
            )
        self.status = RunStatus(
            settings,
            source.name,
            head,
            truth is not None,
            capture,
            frames,
            limiter,
            monitor,
            comparison,
            Tally(in_time=in_time),
            can_be_unknown=model.unknown is not None,
            taps=taps,
            told=ToldFrames(taps, in_time=in_time) if taps is not None else None,
        )
        self._pipeline = Pipeline(
            model,
            reference,
            frames,
            limiter=limiter,
            region=settings.region,
            every_frame=settings.pace.every_frame,
            freshest_s=FRESHEST_S if source.live else None,
            compare_every=settings.compare_every,
        )
        self._learned = LearnedScenes(records)
        self._truth, self._outputs = truth, outputs or Outputs()
        self._say, self._show_status = say, show_status
        self._answers = SteadyAnswers(settings, head, model.unknown)
        if comparison is not None and reference is not None:
            theirs = comparison.heads[1]
            self._reference_answers = SteadyAnswers(settings, theirs, reference.unknown)
        self._throttled: tuple[str, ...] = ()
        self._status_due_s = self._rate_due_s = self._history_due_s = 0.0

    @property
    def problems(self) -> list[str]:
        """Why an output is cut or missing, after ``run``."""
        return self._outputs.problems

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
        settings = status.settings
        status.rates.add(scores)
        shown = self._answers.add(scores.scores, scores.similarity, frame.time_s)
        status.decision = shown
        unknown = is_unknown(self._answers.rule, scores.similarity)
        status.unknown += unknown
        if self._truth is not None and (true := self._truth(frame)) is not None:
            if status.head.task == "value":
                status.error.add(scores.scores, true)
            else:
                answered = answered_indices(status.head, scores.scores)
                status.right.add(scores.scene, answered == true)
        if status.told is not None:
            (answer,) = answered_indices(status.head, scores.scores)
            learned = self._learned(scores.scene, frame.pixels)
            place = (frame.number, frame.captured_s, scores.scene)
            status.told.add(*place, answer, learned=learned)
        if outputs.collector is not None:
            outputs.collector.see(scores, unknown=unknown)
        for output in outputs.answers:
            output.see(shown, frame)
        if outputs.jsonl is not None:
            outputs.jsonl.answer(scores, shown, settings.labels, status.head)
        if outputs.publisher is not None:
            outputs.publisher.publish(frame.pixels, frame.captured_s)
        if outputs.recorder is not None or outputs.window is not None:
            annotated = AnnotatedFrame(frame, self._decisions(), status_line(status, answers=False))
            if outputs.recorder is not None:
                outputs.recorder.put(annotated)
            if outputs.window is not None:
                outputs.window.show(annotated, settings.region)

    def _take_compared(self, pair: ComparedFrame) -> None:
        status, outputs, frame = self.status, self._outputs, pair.answer.frame
        comparison = status.comparison
        assert comparison is not None  # noqa: S101 (pairs come from a reference)
        status.rates.add_compared(pair)
        status.reference_decision = self._reference_answers.add(
            pair.reference_scores, pair.reference_similarity, frame.time_s
        )
        if status.told is not None:
            (answer,) = answered_indices(comparison.heads[1], pair.reference_scores)
            status.told.add_reference(frame.number, answer)
        true, saved = self._truth(frame) if self._truth is not None else None, None
        names = comparison.different(pair)
        if outputs.collector is not None and names:
            outputs.collector.see_pair(pair)
        if outputs.saver is not None and names:
            saved = outputs.saver.put(frame, *names)
            if status.settings.region != Region():
                saved = None  # the whole frame is kept: not what the models saw
        agree = comparison.add(pair, true, frame.path or saved)
        if outputs.jsonl is not None:
            outputs.jsonl.pair(pair, agree, status.settings.labels, comparison.heads[1])

    def _decisions(self) -> tuple[tuple[str, Decision], ...]:
        status = self.status
        both = (
            ("model", status.decision),
            (status.settings.reference_kind, status.reference_decision),
        )
        return tuple((role, one) for role, one in both if one is not None)

    # What happens now and then

    def _tick(self) -> None:
        self._forward_notes()
        now, status, publisher = time.monotonic(), self.status, self._outputs.publisher
        if status.told is not None:
            status.told.update()
        for output in self._outputs.answers:
            output.tick(away=status.capture.away)
        if self._outputs.systemd is not None:
            self._outputs.systemd.tick(status)
        if now >= self._rate_due_s:
            self._rate_due_s = now + RATE_EVERY_S
            self._adjust_rate(now)
        if now >= self._history_due_s and status.comparison is not None:
            self._history_due_s = now + HISTORY_EVERY_S
            status.comparison.mark_history(now - status.began_s)
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

    def _adjust_rate(self, now: float) -> None:
        """Lower the rate of a hot or throttled board, and raise it again."""
        status, settings = self.status, self.status.settings
        health, before = status.health, status.limiter.fps
        if health.throttled and health.throttled != self._throttled:
            self._notes.put(f"the board slows itself down: {', '.join(health.throttled)}")
        self._throttled = health.throttled
        running = status.rates.fps(now)
        limit = next_limit(before, running, health, settings.max_temp_c, settings.fps)
        status.limiter.fps = limit
        if limit == before:
            return
        hot = "" if health.temperature_c is None else f" at {health.temperature_c:.0f} °C"
        rate = "no limit" if limit is None else f"{limit:.1f} frames a second"
        self._notes.put(f"the rate is now {rate}{hot}")
