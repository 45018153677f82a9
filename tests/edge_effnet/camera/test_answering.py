"""A slower reference's answer stands beside the model's answer to the same frame."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from edge_effnet.camera import answering
from edge_effnet.camera.answering import Answering, FeedModels
from edge_effnet.camera.evaluation.shares import Tally
from edge_effnet.camera.frames import ComparedFrame, FrameScores
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.heads.head import Head
from tests.edge_effnet.camera.sessions import frame_of

LABELS = ("red", "green", "blue")


def answers() -> Answering:
    model: Any = SimpleNamespace(head=Head("softmax", 3), unknown=None)
    models = FeedModels(SessionSettings(LABELS, "int8"), model, model)
    return Answering(models, "clip", with_truth=False, in_time=True, taps=None)


def scores_of(number: int, label: int) -> FrameScores:
    return FrameScores(frame_of(number), np.eye(3, dtype=np.float32)[label], 0.1, 1.0, 0.0)


def test_the_model_s_answer_to_the_frame_that_the_reference_saw_is_kept() -> None:
    both = answers()
    red, green, blue = (scores_of(number, number) for number in range(3))
    for one in (red, green, blue):
        both.add(one, None)
    assert both.compared_decision is None
    both.add_reference(ComparedFrame(green, green.scores, 9.0))
    assert both.decision is not None
    assert both.decision.label == "blue"
    assert both.compared_decision is not None
    assert both.reference_decision is not None
    assert both.compared_decision.label == both.reference_decision.label == "green"


def test_what_waits_for_the_reference_is_bounded() -> None:
    both = answers()
    for number in range(answering._WAITING + 10):
        both.add(scores_of(number, 0), None)
    assert len(both._waiting) == answering._WAITING


def test_the_status_line_says_how_few_scenes_there_are() -> None:
    tally = Tally()
    for scene in (0, 1, 1):
        tally.add(scene, True)
    assert tally.share is not None
    assert tally.share.brief == "100.0 % (only 2 scenes)"
