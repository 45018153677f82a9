"""Frames whose class a viewer told, and which model was right on them; what was told wrong goes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from edge_effnet.camera.evaluation.shares import FrameShare, Tally, share_json
from edge_effnet.camera.evaluation.taps import Tap, Taps

RECENT_FRAMES = 64
"""Answered frames that a tap may still be about: it comes after the answer."""
KEPT_FRAMES = 200_000
"""Told frames that can be taken back, and by which classes are counted; about 30 MB."""


@dataclass(slots=True)
class _Answered:
    """What the models answered to a frame.

    Attributes:
        learned: whether a model learned from images like it, so that it proves nothing.
        ours, theirs: the classes answered; ``theirs`` None where the reference has not
            seen the frame.
        tap: that told its class, None where none has.
    """

    number: int
    captured_s: float
    scene: int
    ours: str
    learned: bool
    theirs: str | None = None
    tap: Tap | None = None


class ToldFrames:
    """Counts right answers to told frames; used from the session's thread.

    Args:
        in_time: whether frames follow each other in time, see ``Tally``.

    Attributes:
        learned: told frames that do not count, see ``add``.
    """

    def __init__(self, taps: Taps, *, in_time: bool = True) -> None:
        self._taps, self._in_time = taps, in_time
        self._recent: deque[_Answered] = deque(maxlen=RECENT_FRAMES)
        self._told: deque[_Answered] = deque(maxlen=KEPT_FRAMES)
        self._undone = self._changes = 0
        self._begin_counting()

    def _begin_counting(self) -> None:
        self._right, *pair = (Tally(in_time=self._in_time) for _ in range(3))
        self._pair = pair
        self._by_class: dict[str, Counter[str]] = {}
        self.learned = 0

    def add(
        self, number: int, captured_s: float, scene: int, answer: str, *, learned: bool = False
    ) -> None:
        """Note the model's answer to a frame.

        Args:
            learned: whether a model learned from images like it: such a frame does not count.
        """
        one = _Answered(number, captured_s, scene, answer, learned)
        self._recent.append(one)
        self._look_up(one)
        self.update()

    def add_reference(self, number: int, answer: str) -> None:
        """Note the reference's answer to a frame that the model has answered."""
        for one in reversed(self._recent):
            if one.number == number:
                one.theirs = answer
                if one.tap is not None and not one.learned:
                    self._count_pair(one, one.tap)
                return

    def update(self) -> None:
        """Take back the frames of taps undone, and count recent ones that a tap is about now."""
        if self._changes == self._taps.changes:
            return
        self._changes = self._taps.changes
        if undone := self._taps.undone_after(self._undone):
            self._undone += len(undone)
            self._take_back(undone)
        for one in self._recent:
            self._look_up(one)

    def _look_up(self, one: _Answered) -> None:
        if one.tap is None and (tap := self._taps.find(one.captured_s)) is not None:
            one.tap = tap
            self._told.append(one)
            self._count(one, tap)

    def _take_back(self, undone: Collection[int]) -> None:
        kept = deque[_Answered](maxlen=KEPT_FRAMES)
        for one in self._told:
            if one.tap is not None and one.tap.number in undone:
                one.tap = None
            else:
                kept.append(one)
        self._told = kept
        self._begin_counting()
        for one in kept:
            if one.tap is not None:
                self._count(one, one.tap)

    def _count(self, one: _Answered, tap: Tap) -> None:
        self.learned += one.learned
        if one.learned:
            return
        right = one.ours == tap.label
        self._right.add(one.scene, right)
        self._by_class.setdefault(tap.label, Counter()).update(frames=1, right=int(right))
        if one.theirs is not None:
            self._count_pair(one, tap)

    def _count_pair(self, one: _Answered, tap: Tap) -> None:
        right = one.theirs == tap.label
        for tally, hit in zip(self._pair, (one.ours == tap.label, right), strict=True):
            tally.add(one.scene, hit)
        self._by_class[tap.label].update(reference_frames=1, reference_right=int(right))

    @property
    def shares(self) -> tuple[FrameShare, ...]:
        """Of right answers: the model's and the reference's on frames that both have seen, or the
        model's alone; empty before the first told frame."""
        both = [tally.share for tally in self._pair]
        found = both if all(both) else [self._right.share]
        return tuple(share for share in found if share is not None)

    def to_json(self, labels: Sequence[str]) -> dict[str, Any]:
        """Counts over all told frames, and by class."""
        right = self._right
        names = ("frames", "right", "reference_frames", "reference_right")
        return {
            "frames": right.frames,
            "right": right.hits,
            "learned": self.learned,
            **share_json("accuracy", right.share),
            **(
                share_json("reference_accuracy", self._pair[1].share)
                if self._pair[1].frames
                else {}
            ),
            "by_class": [
                {"label": label, **{name: self._by_class[label][name] for name in names}}
                for label in labels
                if label in self._by_class
            ],
        }
