"""Drawing answers onto an image, for the recording and the window."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np

from edge_effnet.camera.answers import Decision
from edge_effnet.camera.frames import Region
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.printable import printable

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE, _GREEN, _AMBER = (255, 255, 255), (120, 235, 160), (255, 190, 80)


def draw(
    pixels: Pixels,
    decisions: Sequence[tuple[str, Decision]],
    *,
    region: Region | None = None,
    status: str = "",
) -> Pixels:
    """A copy of an RGB image with each model's best answers and a status line on it.

    Args:
        decisions: (model's role, its decision); a second one that differs is drawn in amber.
    """
    image = np.ascontiguousarray(pixels).copy()
    rows, columns = image.shape[:2]
    scale = max(0.35, min(rows, columns) / 600)
    line_px = round(26 * scale)
    if region is not None and region != Region():
        top, left = round(region.top * rows), round(region.left * columns)
        bottom, right = top + round(region.height * rows), left + round(region.width * columns)
        cv2.rectangle(image, (left, top), (right - 1, bottom - 1), _WHITE, 1)
    lines: list[tuple[str, tuple[int, int, int]]] = []
    for number, (role, decision) in enumerate(decisions):
        color = _AMBER if decision.differs_from(decisions[0][1]) else _GREEN
        answers = [f"{plain(item.label)} {item.score:.2f}" for item in decision.answers]
        lines.append((f"{role}: {', '.join(answers) or decision.text}", color))
        others = [item for item in decision.best[:3] if item not in decision.answers]
        if number == 0:
            lines += [(f"  {plain(item.label)} {item.score:.2f}", _WHITE) for item in others[:2]]
    height = line_px * len(lines) + line_px // 2
    if lines:
        strip = image[: min(rows, height)]
        strip[:] = strip // 3  # light letters stay readable on any image
    for number, (text, color) in enumerate(lines):
        _write(image, text, line_px // 3, (number + 1) * line_px, scale, color)
    if status:
        image[rows - round(line_px * 1.4) :] //= 3
        _write(image, status, line_px // 3, rows - line_px // 2, 0.8 * scale, _WHITE)
    return image


def _write(
    image: Pixels, text: str, x: int, y: int, scale: float, color: tuple[int, int, int]
) -> None:
    text = text.encode("ascii", "replace").decode()  # a surrogate would end the process
    cv2.putText(image, text, (x, y), _FONT, scale * 0.7, color, 1, cv2.LINE_AA)


def plain(text: str) -> str:
    """ASCII of a label's first name: OpenCV's fonts have no other letters."""
    head = printable(text.split(",")[0])
    folded = unicodedata.normalize("NFKD", head).encode("ascii", "ignore").decode()
    return folded.strip() or "?"
