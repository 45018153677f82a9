"""Drawing answers onto a picture, for the recording and the window."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np

from edge_effnet.camera.answers import Verdict
from edge_effnet.camera.queues import Region
from edge_effnet.image.preprocessing import Pixels

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE, _GREEN, _AMBER = (255, 255, 255), (120, 235, 160), (255, 190, 80)


def draw(
    pixels: Pixels,
    verdicts: Sequence[tuple[str, Verdict]],
    *,
    region: Region | None = None,
    status: str = "",
) -> Pixels:
    """A copy of an RGB picture with each model's best answers and a status line on it.

    Args:
        verdicts: (model's role, its verdict); a second one that differs is drawn in amber.
    """
    picture = np.ascontiguousarray(pixels).copy()
    rows, columns = picture.shape[:2]
    scale = max(0.35, min(rows, columns) / 600)
    line_px = round(26 * scale)
    if region is not None and region != Region():
        top, left = round(region.top * rows), round(region.left * columns)
        bottom, right = top + round(region.height * rows), left + round(region.width * columns)
        cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), _WHITE, 1)
    lines: list[tuple[str, tuple[int, int, int]]] = []
    for number, (role, verdict) in enumerate(verdicts):
        color = _AMBER if verdict.differs_from(verdicts[0][1]) else _GREEN
        answers = [f"{plain(item.label)} {item.score:.2f}" for item in verdict.answers]
        lines.append((f"{role}: {', '.join(answers) or verdict.text}", color))
        others = [item for item in verdict.best[:3] if item not in verdict.answers]
        if number == 0:
            lines += [(f"  {plain(item.label)} {item.score:.2f}", _WHITE) for item in others[:2]]
    height = line_px * len(lines) + line_px // 2
    if lines:
        strip = picture[: min(rows, height)]
        strip[:] = strip // 3  # light letters stay readable on any picture
    for number, (text, color) in enumerate(lines):
        _write(picture, text, line_px // 3, (number + 1) * line_px, scale, color)
    if status:
        picture[rows - round(line_px * 1.4) :] //= 3
        _write(picture, status, line_px // 3, rows - line_px // 2, 0.8 * scale, _WHITE)
    return picture


def _write(
    picture: Pixels, text: str, x: int, y: int, scale: float, color: tuple[int, int, int]
) -> None:
    cv2.putText(picture, text, (x, y), _FONT, scale * 0.7, color, 1, cv2.LINE_AA)


def plain(text: str) -> str:
    """ASCII of a label's first name: OpenCV's fonts have no other letters."""
    head = text.split(",")[0]
    folded = unicodedata.normalize("NFKD", head).encode("ascii", "ignore").decode()
    return folded.strip() or "?"
