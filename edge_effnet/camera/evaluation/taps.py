"""Truth by a tap: what viewers of the page say a frame shows, while the camera runs.

A viewer names a class for the frame that is shown, or for all frames from that one on until the
class is let go. The page's threads call; the session's thread takes what has changed.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge_effnet.camera.collecting.layout import class_folder
from edge_effnet.camera.threads.queues import Clock
from edge_effnet.data.labels import match_label
from edge_effnet.errors import DataError

MOST_NEW = 100
"""Classes that viewers may add; a slip of a finger must not fill the page."""
_LONGEST_NAME = 40
REMEMBERED = 1000
"""Taps that can still be undone."""
_LATE_S = 10.0
"""A tap is about a frame no older: later ones ended later but for so much."""


@dataclass(frozen=True)
class Tap:
    """Frames captured in this span, both ends included, show a class.

    Attributes:
        number: from 1.
        label: of the class.
        from_s, until_s: monotonic seconds.
    """

    number: int
    label: str
    from_s: float
    until_s: float = math.inf

    def covers(self, captured_s: float) -> bool:
        return self.from_s <= captured_s <= self.until_s


@dataclass(frozen=True)
class TapState:
    """For the page.

    Attributes:
        held: the class that frames are told to be of now; None where none is.
        undoable: how many taps can be undone.
    """

    held: str | None
    undoable: int


class Taps:
    """The taps of all viewers; the newest wins where two speak of one frame.

    Attributes:
        changes: grows where a frame that was looked up before may have another class now.

    Args:
        labels: of the model.
        may_add: whether viewers may name things that the model does not know, behind its labels.
    """

    def __init__(
        self, labels: Sequence[str], *, may_add: bool = False, clock: Clock = time.monotonic
    ) -> None:
        self.labels, self.may_add = tuple(labels), may_add
        self._added: tuple[str, ...] = ()
        self._clock, self._lock = clock, threading.Lock()
        self._taps: deque[Tap] = deque(maxlen=REMEMBERED)
        self._undone: list[int] = []
        self._count = 0
        self.changes = 0

    def take_over(self, labels: Sequence[str]) -> None:
        """Another model answers, of these labels; what viewers added and it does not know stays."""
        with self._lock:
            added = [name for name in self._added if not _is_there(name, labels)]
            self.labels = (*labels, *added)

    def hold(self, label: str, from_s: float) -> None:
        """Say that all frames captured since are of a class, until ``release``.

        Raises:
            ValueError: no such class.
        """
        name = self.named(label)
        with self._lock:
            self._end_hold()
            self._add(name, from_s, math.inf)

    def add(self, label: str) -> None:
        """Name a thing that the model does not know.

        Raises:
            ValueError: not allowed, a name that is no plain one, one that is there, or too many.
        """
        name = label.strip()
        with self._lock:
            if not self.may_add or len(self._added) >= MOST_NEW:
                raise ValueError("no class can be added")
            if class_folder(name) != name or not 0 < len(name) <= _LONGEST_NAME:
                raise ValueError(
                    f"a name has 1 to {_LONGEST_NAME} letters, no dot in front, and none of "
                    '/ \\ : * ? " < > |'
                )
            if _is_there(name, self.labels):
                raise ValueError("there is a class of that name")
            self.labels, self._added = (*self.labels, name), (*self._added, name)

    def mark(self, label: str, captured_s: float) -> None:
        """Say that one frame is of a class.

        Raises:
            ValueError: no such class.
        """
        name = self.named(label)
        with self._lock:
            self._end_hold()
            self._add(name, captured_s, captured_s)

    def release(self) -> None:
        """Let the class go; harmless where none is held."""
        with self._lock:
            self._end_hold()

    def undo(self) -> None:
        """Take the newest tap back, and what was counted by it; harmless where there is none."""
        with self._lock:
            if self._taps:
                self._undone.append(self._taps.pop().number)
                self.changes += 1

    @property
    def state(self) -> TapState:
        with self._lock:
            newest = self._taps[-1] if self._taps else None
            held = newest.label if newest is not None and newest.until_s == math.inf else None
            return TapState(held, len(self._taps))

    def find(self, captured_s: float) -> Tap | None:
        """The tap that speaks of a frame captured then."""
        with self._lock:
            for tap in reversed(self._taps):
                if tap.covers(captured_s):
                    return tap
                if tap.until_s < captured_s - _LATE_S:
                    break
        return None

    def undone_after(self, seen: int) -> list[int]:
        """The numbers of taps that were taken back, in order, without the first ``seen``: each of
        those who count asks from where it stands."""
        with self._lock:
            return self._undone[seen:]

    def named(self, label: str) -> str:
        """A class as it is spelled.

        Raises:
            ValueError: no such class.
        """
        labels = self.labels
        try:
            index = match_label(label, labels)
        except DataError as error:
            raise ValueError(error.what) from error
        if index is None:
            raise ValueError("no such class")
        return labels[index]

    def _end_hold(self) -> None:
        if self._taps and self._taps[-1].until_s == math.inf:
            self._taps[-1] = replace(self._taps[-1], until_s=self._clock())

    def _add(self, label: str, from_s: float, until_s: float) -> None:
        self._count += 1
        self.changes += 1
        self._taps.append(Tap(self._count, label, from_s, until_s))


def _is_there(name: str, labels: Sequence[str]) -> bool:
    """Whether a name is that of a label, or fits two of them."""
    try:
        return match_label(name, labels) is not None
    except DataError:
        return True
