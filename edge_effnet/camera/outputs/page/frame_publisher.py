"""What viewers see: the newest image, encoded once however many look, and the figures."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import cv2

from edge_effnet.image.preprocessing import Pixels

IMAGE_WIDTH = 640
IMAGES_PER_S = 15.0
JPEG_QUALITY = 75
_REMEMBERED = 512
"""Images whose moment is known; a viewer's own is older on the slowest links alone."""
WATCHED_S = 5.0
"""A viewer that asked for something this long ago still counts as one."""


class FramePublisher:
    """Stands between the caller's thread, which publishes, and viewers' threads, which take.

    Publishing swaps two references. Encoding happens in a viewer's thread, once for each
    image and at most ``IMAGES_PER_S`` times a second, so that more viewers cost no more.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pixels: Pixels | None = None
        self._number = 0
        self._captured: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
        self._state: Mapping[str, Any] = {}
        self._closed = False
        self._encode_lock = threading.Lock()
        self._encoded = (0, b"")
        self._encoded_s = float("-inf")
        self._asked_s = float("-inf")

    def publish(self, pixels: Pixels, captured_s: float = 0.0) -> None:
        """Show an image, captured at this monotonic second; it must not be written to any more."""
        with self._changed:
            self._pixels = pixels
            self._number += 1
            self._captured.append((self._number, captured_s))
            self._changed.notify_all()

    def captured_s(self, number: int) -> float | None:
        """When an image that was shown not long ago was captured."""
        with self._changed:
            return next((at for one, at in self._captured if one == number), None)

    def publish_status(self, state: Mapping[str, Any]) -> None:
        """Show figures."""
        self._state = state

    def close(self) -> None:
        """Let waiting viewers go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return time.monotonic() - self._asked_s < WATCHED_S

    def state_json(self) -> bytes:
        self._asked_s = time.monotonic()
        return json.dumps(self._state).encode()

    def newest_jpeg(self, after: int, timeout_s: float = 5.0) -> tuple[int, bytes] | None:
        """The newest image as JPEG with its number; None if none newer than ``after`` comes
        in time."""
        self._asked_s = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._number > after or self._closed, timeout_s)
            if self._closed or self._number <= after:
                return None
        with self._encode_lock:
            if self._encoded[0] > after:
                return self._encoded
            early_s = self._encoded_s + 1 / IMAGES_PER_S - time.monotonic()
            if early_s > 0:
                time.sleep(early_s)
            with self._changed:
                number, pixels = self._number, self._pixels
            assert pixels is not None  # noqa: S101 (a number above 0 comes with an image)
            self._encoded = (number, _jpeg(pixels))
            self._encoded_s = time.monotonic()
            return self._encoded


def _jpeg(pixels: Pixels) -> bytes:
    rows, columns = pixels.shape[:2]
    if columns > IMAGE_WIDTH:
        size = (IMAGE_WIDTH, max(1, round(rows * IMAGE_WIDTH / columns)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(encoded.tobytes())
