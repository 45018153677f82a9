"""The pipeline's answers are those of the model alone, to the last bit."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.camera.frames import ComparedFrame, Frame, FrameScores, Region
from edge_effnet.camera.sources.base import SourceEnded
from edge_effnet.camera.sources.files import open_video
from edge_effnet.camera.threads.pipeline import Pipeline, Result
from edge_effnet.camera.threads.queues import BoundedQueue
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.runtime.classifier import open_classifier
from tests.edge_effnet.camera.conftest import MakeClip
from tests.edge_effnet.conftest import MakeModel


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
