"""The pipeline with slow models: which frames are answered and compared, and when."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_effnet.camera.answering import FeedModels
from edge_effnet.camera.frames import ComparedFrame, Frame, FrameScores
from edge_effnet.camera.session import Session
from edge_effnet.camera.settings import Pace, SessionSettings
from edge_effnet.camera.sources.files import open_images
from edge_effnet.camera.threads.pipeline import EARLY_S, Pipeline
from edge_effnet.camera.threads.queues import BoundedQueue
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocessing import Pixels, Preprocess
from edge_effnet.runtime.classifier import open_classifier
from tests.edge_effnet.camera.conftest import FakeClock, MakeClip
from tests.edge_effnet.camera.sessions import Gated, Slow, frame_of, run_session, stopped_clock
from tests.edge_effnet.conftest import MakeModel


def test_a_slow_model_drops_frames_of_a_clip(colour_model: MakeModel, clip: MakeClip) -> None:
    """50 frames a second, 80 ms an answer: one frame in four."""
    path = clip(["red"] * 100, fps=50)
    status = run_session(Slow(open_classifier(colour_model()), 0.08), path, Pace())
    assert status.capture.captured == 100
    assert status.rates.answered + status.dropped == 100
    assert status.dropped >= 60


def test_behind_a_slow_model_no_queue_grows() -> None:
    """Ten frames come for each answer: nine are dropped, and the answers keep up."""
    model, frames = Gated(), BoundedQueue[Frame](1)
    pipeline = Pipeline(model, None, frames, clock=stopped_clock)
    pipeline.start()
    pushed, late = 0, []
    for _ in range(20):
        for _ in range(10):
            frames.put(frame_of(pushed))
            pushed += 1
        model.let_answer()
        answer = pipeline.results.take(60)
        assert isinstance(answer, FrameScores)
        late.append(pushed - answer.frame.number)
    # One is answered while one is prepared and one waits; a queue would be 180 behind.
    assert max(late) <= 30
    model.let_answer()
    pipeline.end()
    assert frames.dropped >= pushed - 20 - 3


def test_a_model_that_holds_the_rate_answers_every_frame() -> None:
    model, frames = Gated(), BoundedQueue[Frame](1)
    pipeline = Pipeline(model, None, frames, clock=stopped_clock)
    pipeline.start()
    for number in range(30):
        frames.put(frame_of(number))
        model.let_answer()
        answer = pipeline.results.take(60)
        assert isinstance(answer, FrameScores)
        assert answer.frame.number == number
    pipeline.end()
    assert frames.dropped == 0


def test_every_frame_of_a_file_with_a_slow_model(colour_model: MakeModel, clip: MakeClip) -> None:
    model = Slow(open_classifier(colour_model()), 0.01)
    status = run_session(model, clip(["red"] * 40, fps=100), Pace(every_frame=True))
    assert (status.rates.answered, status.dropped) == (40, 0)


def test_a_slow_reference_holds_up_nothing() -> None:
    model, reference, frames = Gated(), Gated(), BoundedQueue[Frame](1)
    pipeline = Pipeline(model, reference, frames, clock=stopped_clock)
    pipeline.start()
    for number in range(20):  # all answered while the reference has not answered once
        frames.put(frame_of(number))
        model.let_answer()
        answer = pipeline.results.take(60)
        assert isinstance(answer, FrameScores)
        assert answer.frame.number == number
    reference.let_answer()
    pair = pipeline.results.take(60)
    assert isinstance(pair, ComparedFrame)
    assert pair.answer.frame.number == 0
    frames.close()
    assert pipeline.results.take(60) is None  # frames that came meanwhile are not compared
    pipeline.end()
    assert pipeline.compared == 1


def test_every_nth_frame_is_compared(colour_model: MakeModel, clip: MakeClip) -> None:
    model, other = open_classifier(colour_model()), open_classifier(colour_model("f.tflite"))
    status = run_session(model, clip(["red"] * 31), Pace(every_frame=True), other, compare_every=4)
    assert status.answering.comparison is not None
    assert status.answering.comparison.frames == 8


def test_models_of_different_input_sizes_see_the_same_frame(
    colour_model: MakeModel, clip: MakeClip
) -> None:
    model = open_classifier(colour_model())
    other = open_classifier(colour_model("f.tflite"), preprocess="crop=0.5")
    assert model.preprocess != other.preprocess
    status = run_session(model, clip(["red"] * 10), Pace(every_frame=True), other)
    assert status.answering.comparison is not None
    assert status.answering.comparison.agreed.hits == 10


def test_a_limit_on_the_rate(colour_model: MakeModel, clip: MakeClip) -> None:
    path = clip(["red"] * 60, fps=60)
    status = run_session(open_classifier(colour_model()), path, Pace(), fps=10.0)
    assert status.rates.answered <= 13
    assert status.rates.answered + status.dropped == 60


def test_the_newest_frame_is_prepared_when_the_model_is_about_to_be_done() -> None:
    """Once it is known that an inference takes 200 ms, the next frame is taken just before its
    end, and not at its start, when ten newer ones are still to come."""
    clock, paused = FakeClock(), threading.Event()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        paused.set()

    class Model:
        preprocess = Preprocess(4, 4)
        head = Head("softmax", 3)
        unknown = None
        asked = 0

        def tensor(self, prepared: Pixels) -> NDArray[Any]:
            return prepared

        def scores_of_input(self, _: NDArray[Any]) -> NDArray[np.float32]:
            if self.asked:  # from the second inference on its end can be foreseen
                assert paused.wait(60)
                paused.clear()
            self.asked += 1
            clock.wait(0.2)
            return np.array([1, 0, 0], np.float32)

        def similarity(self) -> None:
            return None

    frames: BoundedQueue[Frame] = BoundedQueue(1)
    pipeline = Pipeline(Model(), None, frames, clock=clock, wait=pause)
    pipeline.start()
    for number in range(4):  # each comes when the one before it is answered
        frames.put(frame_of(number))
        answer = pipeline.results.take(60)
        assert isinstance(answer, FrameScores)
        assert answer.frame.number == number
    pipeline.end()
    assert pauses == pytest.approx([0.2 - EARLY_S] * 3)


def test_an_image_folder(colour_model: MakeModel, colour_folder: Path) -> None:
    model = open_classifier(colour_model())
    session = Session(
        FeedModels(SessionSettings(model.labels, "model", pace=Pace(every_frame=True)), model),
        open_images(colour_folder),
        lambda: open_images(colour_folder),
        truth=lambda frame: (model.labels.index(frame.path.parent.name),) if frame.path else None,
    )
    status = session.run()
    assert (status.answering.right.frames, status.answering.right.hits) == (30, 30)
