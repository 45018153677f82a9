"""The pipeline with real models and with slow ones: right answers, bounded delay, counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_effnet.camera.capture import Pace
from edge_effnet.camera.frames import Answer, Frame, Handover, Limiter, Pair, Region
from edge_effnet.camera.loop import Pipeline, Result
from edge_effnet.camera.session import Session, Settings
from edge_effnet.camera.sources import SourceEnded, open_images, open_video
from edge_effnet.errors import ModelError
from edge_effnet.heads import Head
from edge_effnet.image import Pixels, Preprocess
from edge_effnet.runtime.classifier import Classifier, open_classifier
from tests.edge_effnet.camera.conftest import MakeClip, plain

MakeModel = Callable[..., Path]


@dataclass(frozen=True)
class Slow:
    """A model that takes its time."""

    model: Classifier
    seconds: float

    @property
    def how(self) -> Preprocess:
        return self.model.how

    @property
    def head(self) -> Head:
        return self.model.head

    def tensor(self, prepared: Pixels) -> NDArray[Any]:
        return self.model.tensor(prepared)

    def scores_of_input(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        time.sleep(self.seconds)
        return self.model.scores_of_input(tensor)


def frames_of(path: Path) -> list[Pixels]:
    source, shots = open_video(path), []
    try:
        while (shot := source.read()) is not None:
            shots.append(shot.pixels)
    except SourceEnded:
        source.close()
    return shots


def run_all(pipeline: Pipeline, frames: Handover[Frame], pictures: list[Pixels]) -> list[Result]:
    """Push pictures through a pipeline whose handover waits, and take all results."""
    import threading

    def push() -> None:
        for number, pixels in enumerate(pictures):
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


def check_identical(model: Path, pictures: list[Pixels], region: Region) -> None:
    frames: Handover[Frame] = Handover(2, wait=True)
    pipeline = Pipeline(
        open_classifier(model), open_classifier(model), frames, region=region, every_frame=True
    )
    results = run_all(pipeline, frames, pictures)
    alone = open_classifier(model)
    expected = [alone.scores(np.ascontiguousarray(region.cut(pixels))) for pixels in pictures]
    answers = [result for result in results if isinstance(result, Answer)]
    pairs = [result for result in results if isinstance(result, Pair)]
    assert [answer.frame.number for answer in answers] == list(range(len(pictures)))
    assert [pair.answer.frame.number for pair in pairs] == list(range(len(pictures)))
    for answer, pair, scores in zip(answers, pairs, expected, strict=True):
        assert np.array_equal(answer.scores, scores)  # to the last bit
        assert np.array_equal(pair.reference_scores, scores)


@pytest.mark.parametrize("region", [Region(), Region(0.25, 0.0, 0.5, 0.75)])
def test_answers_are_those_of_the_model_alone(
    colour_model: MakeModel, clip: MakeClip, region: Region
) -> None:
    pictures = frames_of(clip(["red", "green", "blue"] * 5))
    assert len(pictures) == 15
    check_identical(colour_model(), pictures, region)


def test_int8_answers_are_bit_identical_on_a_real_clip(reference: Path) -> None:
    pictures = frames_of(reference / "video" / "carving_ice_rpi.mp4")[:20]
    model = reference / "models" / "lite0_flowers5_modelmaker_int8.tflite"
    check_identical(model, pictures, Region())


def session_of(
    model: Any, path: Path, pace: Pace, reference: Any = None, **settings: Any
) -> Session:
    classifier = model.model if isinstance(model, Slow) else model
    session = Session(
        Settings(classifier.labels, "model", pace=pace, **settings),
        open_video(path),
        lambda: open_video(path),
        model,
        reference,
    )
    session.run()
    return session


def test_a_slow_model_drops_frames_and_its_delay_stays_bounded(
    colour_model: MakeModel, clip: MakeClip
) -> None:
    """50 frames a second, 80 ms an answer: one frame in four, and never a queue."""
    path, slow_s = clip(["red"] * 100, fps=50), 0.08
    session = session_of(Slow(open_classifier(colour_model()), slow_s), path, Pace())
    assert session.capture.captured == 100
    assert session.meter.answered + session.dropped == 100
    assert session.dropped >= 60
    # A frame waits while one is answered and one is prepared; a queue would reach seconds.
    delays = np.array(session.meter.delay_ms)
    assert np.median(delays) < 1e3 * 4 * slow_s
    assert np.median(delays[-5:]) < 2 * np.median(delays[:10]) + 100


def test_a_model_that_holds_the_rate_answers_nearly_every_frame(
    colour_model: MakeModel, clip: MakeClip
) -> None:
    session = session_of(open_classifier(colour_model()), clip(["red"] * 30, fps=15), Pace())
    assert session.meter.answered + session.dropped == session.capture.captured == 30
    assert session.meter.answered >= 20  # all 30 on a machine with nothing else to do


def test_every_frame_of_a_file_with_a_slow_model(colour_model: MakeModel, clip: MakeClip) -> None:
    model = Slow(open_classifier(colour_model()), 0.01)
    session = session_of(model, clip(["red"] * 40, fps=100), Pace(every_frame=True))
    assert (session.meter.answered, session.dropped) == (40, 0)


def test_a_slow_reference_holds_up_nothing(colour_model: MakeModel, clip: MakeClip) -> None:
    model = open_classifier(colour_model())
    slow = Slow(open_classifier(colour_model("float.tflite")), 0.2)
    session = session_of(model, clip(["red"] * 40, fps=20), Pace(), slow)
    assert session.comparison is not None
    assert 2 <= session.comparison.frames <= 12  # 2 s of clip, 0.2 s each
    assert session.meter.answered > 2 * session.comparison.frames
    assert session.comparison.agreed == session.comparison.frames


def test_every_nth_frame_is_compared(colour_model: MakeModel, clip: MakeClip) -> None:
    model, other = open_classifier(colour_model()), open_classifier(colour_model("f.tflite"))
    session = session_of(model, clip(["red"] * 31), Pace(every_frame=True), other, compare_every=4)
    assert session.comparison is not None
    assert session.comparison.frames == 8


def test_models_of_different_input_sizes_see_the_same_frame(
    colour_model: MakeModel, clip: MakeClip
) -> None:
    model = open_classifier(colour_model())
    other = open_classifier(colour_model("f.tflite"), preprocess="crop=0.5")
    assert model.how != other.how
    session = session_of(model, clip(["red"] * 10), Pace(every_frame=True), other)
    assert session.comparison is not None
    assert session.comparison.agreed == 10


def test_a_limit_on_the_rate(colour_model: MakeModel, clip: MakeClip) -> None:
    path = clip(["red"] * 60, fps=60)
    session = session_of(open_classifier(colour_model()), path, Pace(), fps=10.0)
    assert session.meter.answered <= 13
    assert session.meter.answered + session.dropped == 60


def test_scores_that_are_no_numbers_end_the_run(colour_model: MakeModel, clip: MakeClip) -> None:
    broken = colour_model(weights=np.full((3, 3), np.nan))
    with pytest.raises(ModelError, match="not numbers"):
        session_of(open_classifier(broken), clip(["red"] * 5), Pace())


def test_a_failing_reference_ends_the_run(colour_model: MakeModel, clip: MakeClip) -> None:
    broken = open_classifier(colour_model("f.tflite", weights=np.full((3, 3), np.nan)))
    with pytest.raises(ModelError, match="reference model"):
        session_of(
            open_classifier(colour_model()), clip(["red"] * 50), Pace(every_frame=True), broken
        )


def test_the_newest_frame_is_prepared_when_the_model_is_about_to_be_done() -> None:
    """The frame in preparation is not taken at the start of a long inference."""
    model = open_model_of_seconds(0.2)
    frames: Handover[Frame] = Handover(1)
    pipeline = Pipeline(model, None, frames)
    pipeline.start()
    delays = []
    for number in range(60):
        frames.put(Frame(plain("red"), number, number, 0.0, time.monotonic()))
        time.sleep(0.02)
        while isinstance(result := pipeline.results.take(0), Answer):
            delays.append(result.delay_ms)
    pipeline.end()
    # 200 ms of model, at most 20 ms of age, and some slack; taken early it would be near 400.
    assert np.median(delays[2:]) < 350


def open_model_of_seconds(seconds: float) -> Any:
    class Model:
        how = Preprocess(4, 4)
        head = Head("softmax", 3)

        def tensor(self, prepared: Pixels) -> NDArray[Any]:
            return prepared

        def scores_of_input(self, _: NDArray[Any]) -> NDArray[np.float32]:
            time.sleep(seconds)
            return np.array([1, 0, 0], np.float32)

    return Model()


def test_an_image_folder(colour_model: MakeModel, colour_folder: Path) -> None:
    model = open_classifier(colour_model())
    session = Session(
        Settings(model.labels, "model", pace=Pace(every_frame=True)),
        open_images(colour_folder),
        lambda: open_images(colour_folder),
        model,
        truth=lambda frame: (model.labels.index(frame.path.parent.name),) if frame.path else None,
    )
    session.run()
    assert (session.right.frames, session.right.hits) == (30, 30)


def test_ending_with_a_full_pipeline_leaves_no_thread_behind(
    colour_model: MakeModel, clip: MakeClip
) -> None:
    import threading

    model = open_classifier(colour_model())
    path = clip(["red"] * 20)
    before = threading.active_count()

    def stop(_: str) -> None:
        if session.meter.answered > 5:
            raise KeyboardInterrupt

    session = Session(
        Settings(model.labels, "model", pace=Pace(every_frame=True, loop=True)),
        open_video(path),
        lambda: open_video(path),
        Slow(model, 0.02),
        open_classifier(colour_model("f.tflite")),
        show_status=stop,
    )
    session._due["tell"] = 0
    session.run()  # KeyboardInterrupt is a proper end
    assert session.meter.answered > 5
    assert threading.active_count() == before
    assert Limiter(None).fps is None
