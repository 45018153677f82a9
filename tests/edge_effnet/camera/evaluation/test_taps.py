"""What viewers say that a frame shows."""

from __future__ import annotations

import pytest

from edge_effnet.camera.evaluation.taps import REMEMBERED, Taps, TapState

LABELS = ("blue", "green", "red")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def taps(clock: Clock) -> Taps:
    return Taps(LABELS, clock=clock)


def label_at(taps: Taps, captured_s: float) -> str | None:
    found = taps.find(captured_s)
    return None if found is None else found.label


def test_a_class_is_held_from_the_frame_that_was_seen_until_it_is_let_go(
    taps: Taps, clock: Clock
) -> None:
    taps.hold("red", from_s=99.5)
    assert [label_at(taps, at) for at in (99.4, 99.5, 200.0)] == [None, "red", "red"]
    assert taps.state == TapState(held="red", undoable=1)
    clock.now = 103.0
    taps.release()
    assert [label_at(taps, at) for at in (103.0, 103.1)] == ["red", None]
    assert taps.state == TapState(held=None, undoable=1)


def test_one_frame_alone(taps: Taps) -> None:
    taps.mark("GREEN", 99.5)
    assert [label_at(taps, at) for at in (99.4, 99.5, 99.6)] == [None, "green", None]


def test_another_class_lets_the_first_go(taps: Taps, clock: Clock) -> None:
    taps.hold("red", from_s=100)
    clock.now = 102
    taps.hold("blue", from_s=101.9)  # as another phone does at the same time
    assert [label_at(taps, at) for at in (101.0, 101.9, 105.0)] == ["red", "blue", "blue"]


def test_the_newest_tap_is_undone_first(taps: Taps) -> None:
    taps.mark("red", 99)
    taps.hold("green", from_s=100)
    taps.undo()
    assert taps.state == TapState(held=None, undoable=1)
    assert (label_at(taps, 100.5), label_at(taps, 99)) == (None, "red")
    taps.undo()
    taps.undo()
    assert taps.undone_after(0) == [2, 1]
    assert taps.undone_after(1) == [1]
    assert taps.undone_after(2) == []


def test_a_class_that_the_model_does_not_know_is_refused(taps: Taps) -> None:
    for tell in (taps.hold, taps.mark):
        with pytest.raises(ValueError, match="no such class"):
            tell("pink", 100.0)
    assert taps.state == TapState(None, 0)


def test_a_day_of_taps_takes_no_more_room(taps: Taps, clock: Clock) -> None:
    for second in range(3 * REMEMBERED):
        clock.now = 100.0 + second
        taps.mark("red", clock.now)
    assert taps.state.undoable == REMEMBERED
    assert label_at(taps, clock.now) == "red"


def test_what_viewers_added_stays_when_another_model_takes_over() -> None:
    taps = Taps(("red", "green"), may_add=True)
    taps.add("cup")
    taps.take_over(("green", "red", "cup"))  # it has learned it
    assert taps.labels == ("green", "red", "cup")
    taps.take_over(("red", "green"))  # the file before again
    assert taps.labels == ("red", "green", "cup")
    taps.take_over(("blue", "yellow"))  # labels of models that are gone do not stay
    assert taps.labels == ("blue", "yellow", "cup")
    taps.take_over(("Cup", "CUP"))
    assert taps.labels == ("Cup", "CUP")
