"""A frame, what a model said about it, and the places where threads hand them over."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import UsageProblem
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.spelling import read_share

Item = TypeVar("Item")
Clock = Callable[[], float]


@dataclass(frozen=True)
class Frame:
    """A picture with its place in time.

    Attributes:
        pixels: RGB, height x width x 3, as the source gave it.
        number: of the frames captured since the start, from 0, dropped ones included.
        position: in the file or folder, from 0; it starts again when a file loops.
        time_s: on the source's own clock: position over frame rate in a file, seconds since
            the start from a camera. Smoothing and recording follow it.
        captured_s: monotonic seconds when the picture was there; delay counts from here.
        path: of the picture in an image folder, None elsewhere.
    """

    pixels: Pixels
    number: int
    position: int
    time_s: float
    captured_s: float
    path: Path | None = None


@dataclass(frozen=True)
class Answer:
    """What the model said about a frame.

    Attributes:
        scores: float32, (classes,).
        scene: number of the scene the frame belongs to, see ``scenes``.
        prepare_ms, infer_ms: crop and resize; the model alone.
        done_s: monotonic.
    """

    frame: Frame
    scores: NDArray[np.float32]
    prepare_ms: float
    infer_ms: float
    done_s: float
    scene: int = 0

    @property
    def delay_ms(self) -> float:
        """From the picture being there to its answer."""
        return 1e3 * (self.done_s - self.frame.captured_s)


@dataclass(frozen=True)
class Pair:
    """A frame both models have seen."""

    answer: Answer
    reference_scores: NDArray[np.float32]
    reference_ms: float


@dataclass(frozen=True)
class Region:
    """A part of the picture: left, top, width, height as shares of its sides, so that it
    means the same when the resolution changes."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def cut(self, pixels: Pixels) -> Pixels:
        """A view of the region, at least one pixel each way; nothing is copied."""
        rows, columns = pixels.shape[:2]
        top, left = (
            min(rows - 1, round(self.top * rows)),
            min(columns - 1, round(self.left * columns)),
        )
        bottom = max(top + 1, round((self.top + self.height) * rows))
        right = max(left + 1, round((self.left + self.width) * columns))
        return pixels[top:bottom, left:right]


def parse_region(text: str) -> Region:
    """Read ``--roi LEFT,TOP,WIDTH,HEIGHT``.

    Raises:
        UsageProblem: not four shares, or not inside the picture.
    """
    try:
        left, top, width, height = map(read_share, text.split(","))
        good = left >= 0 and top >= 0 and width > 0 and height > 0
        good = good and left + width <= 1.000001 and top + height <= 1.000001
    except ValueError:
        good = False
    if not good:
        raise UsageProblem(
            "--roi is not understood",
            found=repr(text),
            expected="left,top,width,height as shares of the picture (0.25 or 25%), inside it",
            fix="for example --roi 0.25,0.1,0.5,0.8",
        )
    return Region(left, top, width, height)


class Handover(Generic[Item]):
    """Where one thread leaves items and another takes them, oldest first.

    When it is full, either the oldest item makes room for the newest and is counted
    (``dropped``), or, with ``wait``, whoever puts waits until there is room.
    """

    def __init__(self, capacity: int = 1, *, wait: bool = False) -> None:
        self._items: deque[Item] = deque()
        self._capacity, self._wait = capacity, wait
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, item: Item) -> None:
        """Leave an item; on a closed handover it is gone."""
        with self._changed:
            while self._wait and len(self._items) >= self._capacity and not self._closed:
                self._changed.wait()
            if self._closed:
                return
            if len(self._items) >= self._capacity:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()

    def offer(self, item: Item) -> bool:
        """Leave an item if there is room, and say whether there was."""
        with self._changed:
            if self._closed or len(self._items) >= self._capacity:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self, timeout_s: float | None = None) -> Item | None:
        """The oldest item; None when there is none in time, or no more ever (``finished``)."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self, *, discard: bool = False) -> None:
        """Take no more items; those inside can still be taken unless ``discard``."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()

    @property
    def finished(self) -> bool:
        """Whether it is closed and empty."""
        with self._changed:
            return self._closed and not self._items


class Limiter:
    """Lets a loop turn at most ``fps`` times a second; the rate may change while it runs."""

    def __init__(
        self,
        fps: float | None,
        *,
        clock: Clock = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self.fps = fps
        self._clock, self._wait, self._due_s = clock, wait, float("-inf")

    def turn(self) -> None:
        """Wait until the next turn is due. A late turn does not make the next one early."""
        if not self.fps:
            return
        now = self._clock()
        if now < self._due_s:
            self._wait(self._due_s - now)
            now = self._due_s
        # Half a turn of lateness is forgiven, so that a camera of the same rate is not halved.
        latest_s = now - 0.5 / self.fps
        base_s = now if self._due_s == float("-inf") else max(self._due_s, latest_s)
        self._due_s = base_s + 1 / self.fps
