"""A window on the board's own screen, where OpenCV has one and there is a screen."""

from __future__ import annotations

import os
import time

import cv2

from edge_effnet.camera.frames import Region
from edge_effnet.camera.outputs.overlay import draw
from edge_effnet.camera.outputs.record import AnnotatedFrame
from edge_effnet.camera.threads.queues import Clock
from edge_effnet.errors import OutputError

TITLE = "edge-effnet"
SHOWN_PER_S = 30.0
_QUIT_KEYS = (ord("q"), 27)


class Window:
    """Shows annotated frames; made and used in the main thread only, as the toolkits demand.

    Raises:
        OutputError: no screen, or an OpenCV without windows.
    """

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        # Without a screen, Qt ends the whole process: ask before it does.
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise OutputError(
                "--window needs a screen",
                found="neither DISPLAY nor WAYLAND_DISPLAY is set",
                fix="run it on the desktop, or look from another machine with --serve",
            )
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise OutputError(
                "--window needs an OpenCV with windows",
                found="opencv-python-headless",
                fix="pip uninstall opencv-python-headless && pip install opencv-python, "
                "or use --serve",
            ) from error
        self.closed = False
        self._clock, self._shown_s = clock, float("-inf")

    def show(self, annotated: AnnotatedFrame, region: Region) -> None:
        now = self._clock()
        if self.closed or now - self._shown_s < 1 / SHOWN_PER_S:
            return
        self._shown_s = now
        image = draw(
            annotated.frame.pixels, annotated.decisions, region=region, status=annotated.status
        )
        cv2.imshow(TITLE, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(1) & 0xFF
        shut = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
        self.closed = key in _QUIT_KEYS or shut

    def end(self) -> None:
        cv2.destroyAllWindows()
