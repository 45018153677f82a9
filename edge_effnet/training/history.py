"""A run's history as files: ``history.csv`` and ``curves.png``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.files import write_atomically
from edge_effnet.training.resume_state import EpochRow

HISTORY_FILE, CURVES_FILE = "history.csv", "curves.png"
COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "gap",
    "learning_rate",
    "seconds",
)

_HEIGHT, _PANEL = 360, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 40, 34
_INK, _FAINT = (60, 60, 60), (225, 225, 225)
# BGR, told apart by people who see no red or green: blue for training, orange for validation.
_TRAIN, _VAL = (178, 114, 0), (0, 94, 213)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def write_history(folder: Path, rows: Sequence[EpochRow]) -> None:
    """Write both files anew; each is whole or not there.

    Raises:
        OutputError: the folder cannot be written.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for row in rows:
        values = (getattr(row, name) for name in COLUMNS)
        lines.writerow(["" if value is None else _short(value) for value in values])
    write_atomically(folder / HISTORY_FILE, text.getvalue().encode(), overwrite=True)
    write_atomically(folder / CURVES_FILE, curves_png(rows), overwrite=True)


def curves_png(rows: Sequence[EpochRow]) -> bytes:
    """Loss and accuracy over the epochs, training and validation, as a PNG file."""
    image = np.full((_HEIGHT, 2 * _PANEL, 3), 255, np.uint8)
    epochs = [float(row.epoch) for row in rows]
    losses = ([row.loss for row in rows], [row.val_loss for row in rows])
    accuracies = (
        [None if row.accuracy is None else 100 * row.accuracy for row in rows],
        [100 * row.val_accuracy for row in rows],
    )
    _panel(image[:, :_PANEL], "loss", epochs, losses)
    _panel(image[:, _PANEL:], "accuracy, percent", epochs, accuracies)
    _, encoded = cv2.imencode(".png", image)
    return np.asarray(encoded).tobytes()


def _panel(
    canvas: NDArray[np.uint8],
    title: str,
    epochs: Sequence[float],
    curves: tuple[Sequence[float | None], Sequence[float | None]],
) -> None:
    values = [value for curve in curves for value in curve if value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    ticks = _ticks(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    first, last = (min(epochs), max(epochs)) if epochs else (0.0, 1.0)
    width, height = _PANEL - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(epoch: float, value: float) -> tuple[int, int]:
        across = 0.5 if last == first else (epoch - first) / (last - first)
        up = (value - low) / (high - low)
        return round(_LEFT + across * width), round(_TOP + (1 - up) * height)

    for tick in ticks:
        _, y = place(first, tick)
        cv2.line(canvas, (_LEFT, y), (_PANEL - _RIGHT, y), _FAINT, 1)
        _write(canvas, f"{tick:g}", (8, y + 4))
    for epoch in sorted({first, float(round((first + last) / 2)), last}):
        x, _ = place(epoch, low)
        _write(canvas, f"{epoch:g}", (x - 5, _HEIGHT - 12))
    _write(canvas, title, (_LEFT, 22))
    for column, (name, color) in enumerate((("training", _TRAIN), ("validation", _VAL))):
        x = _PANEL - 210 + 100 * column
        cv2.line(canvas, (x, 18), (x + 18, 18), color, 2, cv2.LINE_AA)
        _write(canvas, name, (x + 24, 22))
        points = [
            place(epoch, value)
            for epoch, value in zip(epochs, curves[column], strict=True)
            if value is not None
        ]
        for one, other in pairwise(points):
            cv2.line(canvas, one, other, color, 2, cv2.LINE_AA)
        for point in points:
            cv2.circle(canvas, point, 3, color, -1, cv2.LINE_AA)


def _ticks(low: float, high: float) -> list[float]:
    """About five round values that cover low to high."""
    span = max(high - low, 1e-3 * max(abs(high), 1e-3))
    step = 10 ** math.floor(math.log10(span / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (factor * step) <= 5)
    start, end = math.floor(low / step), math.ceil(high / step)
    return [round(index * step, 10) for index in range(start, max(end, start + 1) + 1)]


def _write(canvas: NDArray[np.uint8], text: str, at: tuple[int, int]) -> None:
    cv2.putText(canvas, text, at, _FONT, 0.42, _INK, 1, cv2.LINE_AA)


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"
