"""The pipeline with real models and with slow ones: right answers, bounded delay, counts."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_effnet.camera.frames import ComparedFrame, Frame, FrameScores, Region
from edge_effnet.camera.pipeline import EARLY_S, Pipeline, Result
from edge_effnet.camera.queues import BoundedQueue
from edge_effnet.camera.run_status import RunStatus
from edge_effnet.camera.session import Session
from edge_effnet.camera.settings import Pace, SessionSettings
from edge_effnet.camera.sources.base import SourceEnded
from edge_effnet.camera.sources.files import open_images, open_video
from edge_effnet.errors import ModelError
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocessing import Pixels, Preprocess
from edge_effnet.runtime.classifier import Classifier, open_classifier
from tests.edge_effnet.camera.conftest import FakeClock, MakeClip, plain
from tests.edge_effnet.conftest import MakeModel


@dataclass(frozen=True)
class Slow:
    """A model that takes its time."""

    model: Classifier
    seconds: float

    @property
    def preprocess(self) -> Preprocess:
        return self.model.preprocess

    @property
    def head(self) -> Head:
        return self.model.head

    def tensor(self, prepared: Pixels) -> NDArray[Any]:
        return self.model.tensor(prepared)

    def scores_of_input(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        time.sleep(self.seconds)
        return self.model.scores_of_input(tensor)


class Gated:
    """A model that gives each answer when the test says so."""

    preprocess = Preprocess(4, 4)

    def __init__(self) -> None:
        self._turns = threading.Semaphore(0)

    def let_answer(self) -> None:
        self._turns.release()

    def tensor(self, prepared: Pixels) -> NDArray[Any]:
        return prepared

    def scores_of_input(self, _: NDArray[Any]) -> NDArray[np.float32]:
        assert self._turns.acquire(timeout=60)
        return np.array([1, 0, 0], np.float32)


def frame_of(number: int) -> Frame:
    return Frame(plain("red"), number, number, 0.0, 0.0)


def stopped_clock() -> float:
    """With it a pipeline expects every answer at once, and takes its next frame at once."""
    return 0.0


def frames_of(path: Path) -> list[Pixels]:
    source, shots = open_video(path), []
    try:
        while (shot := source.read()) is not None:
            shots.append(shot.pixels)
    except SourceEnded:
        source.close()
    return shots


def run_all(pipeline: Pipeline, frames: BoundedQueue[Frame], images: list[Pixels]) -> list[Result]:
    """Push images through a pipeline whose queue waits, and take all results."""

    def push() -> None:
        for number, pixels in enumerate(images):
            frames.put(Frame(pixels, number, number, number / 10, time.monotonic()))
        frames.close()

    threading.Thread(target=push, daemon=True).start()
    pipeline.start()
    results: list[Result] = []
    while (result := pipeline.results.take(60)) is not None:
        results.append(result)
    pipeline.end()
    if pipeline.error:
        raise pipeline.error
    return results


def check_identical(model: Path, images: list[Pixels], region: Region) -> None:
    frames: BoundedQueue[Frame] = BoundedQueue(2, wait=True)
    pipeline = Pipeline(
        open_classifier(model), open_classifier(model), frames, region=region, every_frame=True
    )
    results = run_all(pipeline, frames, images)
    alone = open_classifier(model)
    expected = [alone.scores(np.ascontiguousarray(region.cut(pixels))) for pixels in images]
    answers = [result for result in results if isinstance(result, FrameScores)]
    pairs = [result for result in results if isinstance(result, ComparedFrame)]
    assert [answer.frame.number for answer in answers] == list(range(len(images)))
    assert [pair.answer.frame.number for pair in pairs] == list(range(len(images)))
    for answer, pair, scores in zip(answers, pairs, expected, strict=True):
        assert np.array_equal(answer.scores, scores)  # to the last bit
        assert np.array_equal(pair.reference_scores, scores)


@pytest.mark.parametrize("region", [Region(), Region(0.25, 0.0, 0.5, 0.75)])
def test_answers_are_those_of_the_model_alone(
    colour_model: MakeModel, clip: MakeClip, region: Region
) -> None:
    frames = frames_of(clip(["red", "green", "blue"] * 5))
    assert len(frames) == 15
    check_identical(colour_model(), frames, region)


def test_int8_answers_are_bit_identical_on_a_real_clip(reference: Path) -> None:
    frames = frames_of(reference / "video" / "carving_ice_rpi.mp4")[:20]
    model = reference / "models" / "lite0_flowers5_modelmaker_int8.tflite"
    check_identical(model, frames, Region())


def run_session(
    model: Any, path: Path, pace: Pace, reference: Any = None, **settings: Any
) -> RunStatus:
    classifier = model.model if isinstance(model, Slow) else model
    session = Session(
        SessionSettings(classifier.labels, "model", pace=pace, **settings),
        open_video(path),
        lambda: open_video(path),
        model,
        reference,
    )
    return session.run()


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
    assert status.comparison is not None
    assert status.comparison.frames == 8


def test_models_of_different_input_sizes_see_the_same_frame(
    colour_model: MakeModel, clip: MakeClip
) -> None:
    model = open_classifier(colour_model())
    other = open_classifier(colour_model("f.tflite"), preprocess="crop=0.5")
    assert model.preprocess != other.preprocess
    status = run_session(model, clip(["red"] * 10), Pace(every_frame=True), other)
    assert status.comparison is not None
    assert status.comparison.agreed.hits == 10


def test_a_limit_on_the_rate(colour_model: MakeModel, clip: MakeClip) -> None:
    path = clip(["red"] * 60, fps=60)
    status = run_session(open_classifier(colour_model()), path, Pace(), fps=10.0)
    assert status.rates.answered <= 13
    assert status.rates.answered + status.dropped == 60


def test_scores_that_are_no_numbers_end_the_run(colour_model: MakeModel, clip: MakeClip) -> None:
    broken = colour_model(weights=np.full((3, 3), np.nan))
    with pytest.raises(ModelError, match="not numbers"):
        run_session(open_classifier(broken), clip(["red"] * 5), Pace())


def test_a_failing_reference_ends_the_run(colour_model: MakeModel, clip: MakeClip) -> None:
    broken = open_classifier(colour_model("f.tflite", weights=np.full((3, 3), np.nan)))
    with pytest.raises(ModelError, match="reference model"):
        run_session(
            open_classifier(colour_model()), clip(["red"] * 50), Pace(every_frame=True), broken
        )


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
        SessionSettings(model.labels, "model", pace=Pace(every_frame=True)),
        open_images(colour_folder),
        lambda: open_images(colour_folder),
        model,
        truth=lambda frame: (model.labels.index(frame.path.parent.name),) if frame.path else None,
    )
    status = session.run()
    assert (status.right.frames, status.right.hits) == (30, 30)


def test_ending_with_a_full_pipeline_leaves_no_thread_behind(
    colour_model: MakeModel, clip: MakeClip
) -> None:
    model = open_classifier(colour_model())
    path = clip(["red"] * 20)
    before = set(threading.enumerate())

    def stop(_: str) -> None:
        if session.status.rates.answered > 5:
            raise KeyboardInterrupt

    session = Session(
        SessionSettings(model.labels, "model", pace=Pace(every_frame=True, loop=True)),
        open_video(path),
        lambda: open_video(path),
        Slow(model, 0.02),
        open_classifier(colour_model("f.tflite")),
        show_status=stop,
    )
    status = session.run()  # KeyboardInterrupt is a proper end
    assert status.rates.answered > 5
    assert set(threading.enumerate()) <= before
