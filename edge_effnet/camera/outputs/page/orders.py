"""What the page asks the program to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.learning.learner import Learner
from edge_effnet.camera.outputs.page.controls import Controls, Kept
from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.files.json_text import parse_json

MOST_BYTES = 64 * 1024
"""Of a request's body."""


class BadOrderError(ValueError):
    """A request that is not understood; its text is for the viewer."""


Order = Mapping[str, Any]
Obey = Callable[[bytes], Any]


def order_for(path: str, controls: Controls, publisher: FramePublisher) -> Obey | None:
    """What does an order sent to this path, and gives its answer, for JSON; None for no such path.

    Whoever calls it may get a BadOrderError.
    """
    taps, kept = controls.taps, controls.kept
    if path == "/truth" and taps is not None:
        return lambda body: _tell(_parsed(body), taps, publisher)
    if path == "/review" and kept is not None:
        return lambda body: _label(_parsed(body), kept)
    if path == "/learn" and kept is not None and (learner := kept.learner) is not None:
        return lambda body: _learn(_parsed(body), learner)
    return None


def _parsed(body: bytes) -> Order:
    try:
        order: Any = parse_json(body)
    except ValueError as error:
        raise BadOrderError("no JSON") from error
    if not isinstance(order, dict):
        raise BadOrderError("no JSON object")
    return order


def _tell(order: Order, taps: Taps, publisher: FramePublisher) -> None:
    """Take the class of frames: ``{"do": "hold" | "frame", "label": "stop", "image": 12}``, where
    ``image`` is the number of the image that the viewer saw; ``{"do": "release"}``; ``{"do":
    "undo"}``; ``{"do": "add", "label": "cup"}``."""
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


def _label(order: Order, kept: Kept) -> dict[str, Any] | None:
    """Label frames that were kept: ``{"do": "label", "files": ["….jpg"], "label": "stop"}``,
    ``{"do": "discard", "files": […]}``, ``{"do": "undo"}``. The answer says how many were moved
    and how many another viewer had moved before. ``{"do": "keep", "on": false}`` keeps no more of
    those that nobody tells."""
    what, given, label = (order.get(name) for name in ("do", "files", "label"))
    names = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
    review = kept.review
    if what == "keep" and isinstance(order.get("on"), bool):
        kept.collector.keeping = order["on"]
        return None
    try:
        if what == "undo":
            return review.undo().to_json()
        if what == "discard" and names:
            return review.move(names, None).to_json()
        if what == "label" and names and isinstance(label, str):
            return review.move(names, label).to_json()
    except ValueError as error:
        raise BadOrderError(str(error)) from error
    raise BadOrderError("expected do: label (with a label), discard (with files), undo or keep")


def _learn(order: Order, learner: Learner) -> None:
    """``{"do": "learn"}``, with ``"worse": true`` to take a file that is worse than the one before;
    ``{"do": "back"}`` for the file of before."""
    what = order.get("do")
    if what not in ("learn", "back"):
        raise BadOrderError("expected do: learn or back")
    try:
        if what == "learn":
            learner.learn(worse=order.get("worse") is True)
        else:
            learner.go_back()
    except ValueError as error:
        raise BadOrderError(str(error)) from error
