"""How a run ends: by a model that fails, and with frames on their way."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edge_effnet.camera.answering import FeedModels
from edge_effnet.camera.session import Session
from edge_effnet.camera.settings import Pace, SessionSettings
from edge_effnet.camera.sources.files import open_video
from edge_effnet.errors import ModelError
from edge_effnet.runtime.classifier import open_classifier
from tests.edge_effnet.camera.conftest import MakeClip
from tests.edge_effnet.camera.sessions import Slow, run_session
from tests.edge_effnet.conftest import MakeModel


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
        FeedModels(
            SessionSettings(model.labels, "model", pace=Pace(every_frame=True, loop=True)),
            Slow(model, 0.02),
            open_classifier(colour_model("f.tflite")),
        ),
        open_video(path),
        lambda: open_video(path),
        show_status=stop,
    )
    status = session.run()  # KeyboardInterrupt is a proper end
    assert status.rates.answered > 5
    assert set(threading.enumerate()) <= before
