"""Right answers to frames whose class a viewer told."""

from __future__ import annotations

import pytest

from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.evaluation.told_frames import RECENT_FRAMES, ToldFrames

LABELS = ("blue", "green", "red")
BLUE, GREEN, RED = LABELS


@pytest.fixture
def taps() -> Taps:
    return Taps(LABELS, clock=lambda: 1e9)


@pytest.fixture
def told(taps: Taps) -> ToldFrames:
    return ToldFrames(taps)


def see(told: ToldFrames, *answers: str, begin: int = 0) -> None:
    """One frame a second, each in a scene of its own."""
    for number, answer in enumerate(answers, begin):
        told.add(number, float(number), number, answer)


def test_frames_of_a_held_class_are_counted(taps: Taps, told: ToldFrames) -> None:
    see(told, RED)
    taps.hold("red", from_s=1.0)
    see(told, RED, BLUE, RED, begin=1)
    document = told.to_json(LABELS)
    assert (document["frames"], document["right"]) == (3, 2)
    assert document["by_class"] == [
        {"label": "red", "frames": 3, "right": 2, "reference_frames": 0, "reference_right": 0}
    ]


def test_a_tap_on_the_frame_that_is_shown_comes_after_its_answer(
    taps: Taps, told: ToldFrames
) -> None:
    see(told, GREEN, RED, BLUE)
    taps.mark("red", 1.0)
    told.update()
    (share,) = told.shares
    assert (share.frames, share.percent) == (1, 100)
    told.update()  # is counted once
    assert told.to_json(LABELS)["frames"] == 1


def test_both_models_are_right_or_wrong_on_the_frames_both_have_seen(
    taps: Taps, told: ToldFrames
) -> None:
    taps.hold("red", from_s=0)
    see(told, RED, BLUE, RED, RED)
    for number, answer in ((1, RED), (3, RED)):
        told.add_reference(number, answer)
    ours, theirs = told.shares
    assert (ours.frames, ours.percent) == (2, 50)
    assert (theirs.frames, theirs.percent) == (2, 100)
    (row,) = told.to_json(LABELS)["by_class"]
    assert (row["frames"], row["right"]) == (4, 3)
    assert (row["reference_frames"], row["reference_right"]) == (2, 2)


def test_a_reference_may_answer_before_the_tap(taps: Taps, told: ToldFrames) -> None:
    see(told, BLUE)
    told.add_reference(0, RED)
    taps.mark("red", 0.0)
    told.update()
    assert [share.percent for share in told.shares] == [0, 100]


def test_what_was_told_wrong_is_taken_back_and_can_be_told_again(
    taps: Taps, told: ToldFrames
) -> None:
    taps.hold("red", from_s=0)
    see(told, RED, RED)
    told.add_reference(1, RED)
    taps.hold("blue", from_s=2)  # a slip
    see(told, RED, RED, begin=2)
    told.add_reference(3, RED)
    assert told.to_json(LABELS)["right"] == 2
    taps.undo()
    taps.hold("red", from_s=2)
    told.update()
    document = told.to_json(LABELS)
    assert (document["frames"], document["right"]) == (4, 4)
    assert [row["label"] for row in document["by_class"]] == ["red"]
    assert [share.percent for share in told.shares] == [100, 100]


def test_a_tap_that_comes_too_late_counts_nothing(taps: Taps, told: ToldFrames) -> None:
    see(told, *[RED] * (RECENT_FRAMES + 1))
    taps.mark("red", 0.0)
    told.update()
    assert told.shares == ()


def test_frames_like_those_that_were_learned_prove_nothing(taps: Taps, told: ToldFrames) -> None:
    taps.hold("red", from_s=0)
    told.add(0, 0.0, 0, RED, learned=True)
    told.add_reference(0, RED)
    told.add(1, 1.0, 1, BLUE)
    document = told.to_json(LABELS)
    assert (document["frames"], document["right"], document["learned"]) == (1, 0, 1)
    taps.undo()
    told.update()
    assert told.learned == 0
