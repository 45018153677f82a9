"""What the page asks the program to do: to take the class of frames from a viewer."""

from __future__ import annotations

import time
from typing import Any

from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.files.json_text import parse_json

MOST_BYTES = 1024
"""Of a request's body."""


class BadOrderError(ValueError):
    """A request that is not understood; its text is for the viewer."""


def obey(body: bytes, taps: Taps, publisher: FramePublisher) -> None:
    """Do what a viewer asks for.

    Args:
        body: JSON: ``{"do": "hold" | "frame", "label": "stop", "image": 12}``, where ``image``
            is the number of the image that the viewer saw; ``{"do": "release"}``;
            ``{"do": "undo"}``; ``{"do": "add", "label": "cup"}``.

    Raises:
        BadOrderError: anything else, or no such class.
    """
    try:
        order: Any = parse_json(body)
    except ValueError as error:
        raise BadOrderError("no JSON") from error
    if not isinstance(order, dict):
        raise BadOrderError("no JSON object")
    simple = {"release": taps.release, "undo": taps.undo}
    what, label, image = (order.get(name) for name in ("do", "label", "image"))
    if what in simple:
        simple[what]()
        return
    if what not in ("add", "hold", "frame") or not isinstance(label, str):
        raise BadOrderError("expected do: add, hold, frame, release or undo, and a label")
    if what == "add":
        try:
            taps.add(label)
        except ValueError as error:
            raise BadOrderError(str(error)) from error
        return
    shown_s = publisher.captured_s(image) if isinstance(image, int) else None
    captured_s = time.monotonic() if shown_s is None else shown_s
    try:
        (taps.hold if what == "hold" else taps.mark)(label, captured_s)
    except ValueError as error:
        raise BadOrderError("no such class") from error
