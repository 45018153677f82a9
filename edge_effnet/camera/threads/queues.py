"""The queues between the camera's threads, and what limits their rate."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Clock = Callable[[], float]


class BoundedQueue(Generic[Item]):
    """Where one thread leaves items and another takes them, oldest first.

    When it is full, either the oldest item makes room for the newest and is counted
    (``dropped``), or, with ``wait``, whoever puts waits until there is room.

    Attributes:
        taken: items that somebody has, or has used.
        awaited: whether somebody waits for an item.
    """

    def __init__(self, capacity: int = 1, *, wait: bool = False) -> None:
        self._items: deque[Item] = deque()
        self._capacity, self._wait = capacity, wait
        self._changed = threading.Condition()
        self._closed = False
        self.taken = self.dropped = 0
        self.awaited = False

    def put(self, item: Item) -> None:
        """Leave an item; on a closed queue it is gone."""
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

    def take(self, timeout_s: float | None = None) -> Item | None:
        """The oldest item; None when there is none in time, or no more ever (``finished``)."""
        with self._changed:
            self.awaited = True
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            self.awaited = False
            if not self._items:
                return None
            item = self._items.popleft()
            self.taken += 1
            self._changed.notify_all()
            return item

    def close(self, *, discard: bool = False) -> None:
        """Take no more items; those inside can still be taken unless ``discard``."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()

    def drop(self) -> None:
        """Count an item as dropped that was taken and is too old to be used."""
        with self._changed:
            self.taken -= 1
            self.dropped += 1

    @property
    def finished(self) -> bool:
        """Whether it is closed and empty."""
        with self._changed:
            return self._closed and not self._items

    def wait_finished(self, timeout_s: float) -> bool:
        """Wait until it is closed and empty; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed and not self._items, timeout_s)


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

    @property
    def due_in_s(self) -> float:
        """Seconds until the next turn; not positive when it is due."""
        return self._due_s - self._clock() if self.fps else 0.0

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
