"""The costliest layers as a picture, SVG or PNG: a dot for each on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.analysis.layer_error import Fidelity, Layer

ROWS = 40

_ROW, _LEFT, _PLOT, _RIGHT, _TOP, _BOTTOM = 18, 250, 380, 150, 84, 66
_LOWEST_PERCENT = 1e-4
# Okabe and Ito's blue, and their vermilion for layers that turn an answer by themselves.
_QUIET, _LOUD, _INK, _FAINT = "#0072B2", "#D55E00", "#222222", "#dddddd"
_PNG_SCALE = 2
# cv2's Hershey font is 21 units tall, cap height, at scale 1; a capital of a sans-serif font is
# 0.72 of its size.
_FONT, _FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.72 / 21


@dataclass(frozen=True)
class Line:
    """From one point to another, in pixels from the top left."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Dot:
    """A filled circle; ``hint`` is shown by a browser under the pointer."""

    x: float
    y: float
    color: str
    hint: str = ""


@dataclass(frozen=True)
class Text:
    """Words on a base line, which starts or ends at x, or has its middle there."""

    x: float
    y: float
    words: str
    anchor: Literal["start", "middle", "end"] = "start"
    size: int = 12


Shape = Line | Dot | Text


@dataclass(frozen=True)
class Drawing:
    """Shapes on white, the first below the others."""

    width: int
    height: int
    shapes: tuple[Shape, ...]


def operator_name(layer: Layer) -> str:
    """``DEPTHWISE_CONV_2D`` as ``depthwise``."""
    return layer.operator.lower().replace("_2d", "").replace("depthwise_conv", "depthwise")


def draw_fidelity(fidelity: Fidelity, title: str) -> Drawing:
    """The costliest layers, the worst on top, and what the others come to."""
    layers, rest = fidelity.layers[:ROWS], fidelity.layers[ROWS:]
    first, last = _decades(layers)

    def across(percent: float) -> float:
        place = math.log10(max(percent, 10.0**first)) - first
        return _LEFT + _PLOT * place / (last - first)

    bottom, right = _TOP + _ROW * len(layers), _LEFT + _PLOT
    shapes: list[Shape] = [
        Text(12, 24, title, size=15),
        Text(
            12,
            44,
            "energy of the answer's error, in percent of the answer's, with this layer "
            "alone in 8 bits",
        ),
        Dot(18, 60, _QUIET),
        Text(28, 64, "no answer turns"),
        Dot(138, 60, _LOUD),
        Text(148, 64, "some answer turns"),
        Text(right + 70, _TOP - 8, "alone", "end"),
        Text(right + 136, _TOP - 8, "SNR", "end"),
    ]
    for decade in range(first, last + 1):
        x = across(10.0**decade)
        shapes.append(Line(x, _TOP - 4, x, bottom))
        shapes.append(Text(x, bottom + 16, f"{10.0**decade:g} %", "middle"))
    for row, layer in enumerate(layers):
        y, end = _TOP + _ROW * (row + 0.5), across(layer.alone_percent)
        hint = f"{layer.tensor}: {layer.codes_used_percent:.0f} % of the codes, "
        hint += f"{layer.alone_flipped} of {fidelity.pictures} answers turned"
        shapes += [
            Line(_LEFT, y, end, y),
            Dot(end, y, _LOUD if layer.alone_flipped else _QUIET, hint),
            Text(_LEFT - 10, y + 4, f"{layer.name} ({operator_name(layer)})", "end"),
            Text(right + 70, y + 4, f"{layer.alone_percent:.3f} %", "end"),
            Text(right + 136, y + 4, f"{layer.snr_db:.1f} dB", "end"),
        ]
    if rest:
        together = sum(layer.alone_percent for layer in rest)
        words = f"{len(rest)} more layers come to {together:.3f} % together (--json lists them)"
        shapes.append(Text(_LEFT, bottom + 42, words))
    return Drawing(right + _RIGHT, bottom + _BOTTOM, tuple(shapes))


def render(drawing: Drawing, suffix: str) -> bytes:
    """The drawing as a file of the kind ``suffix``, ``.svg`` or ``.png``."""
    return _png(drawing) if suffix == ".png" else _svg(drawing)


def _decades(layers: Sequence[Layer]) -> tuple[int, int]:
    """Powers of ten, of a percent, around what is drawn."""
    costs = [max(layer.alone_percent, _LOWEST_PERCENT) for layer in layers]
    first = math.floor(math.log10(min(costs)))
    return first, max(math.ceil(math.log10(max(costs))), first + 1)


def _svg(drawing: Drawing) -> bytes:
    width, height = drawing.width, drawing.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" fill="{_INK}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for shape in drawing.shapes:
        match shape:
            case Line(x1, y1, x2, y2):
                parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{_FAINT}"/>')
            case Dot(x, y, color, hint):
                parts.append(
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{color}">'
                    f"<title>{escape(hint)}</title></circle>"
                )
            case Text(x, y, words, anchor, size):
                parts.append(
                    f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">'
                    f"{escape(words)}</text>"
                )
    return "\n".join([*parts, "</svg>", ""]).encode()


def _png(drawing: Drawing) -> bytes:
    """OpenCV's letters are ASCII: others in a file's name become question marks."""
    scale = _PNG_SCALE
    canvas = np.full((scale * drawing.height, scale * drawing.width, 3), 255, np.uint8)
    for shape in drawing.shapes:
        match shape:
            case Line(x1, y1, x2, y2):
                cv2.line(canvas, _at(x1, y1), _at(x2, y2), _bgr(_FAINT), scale, cv2.LINE_AA)
            case Dot(x, y, color):
                cv2.circle(canvas, _at(x, y), round(4.5 * scale), _bgr(color), -1, cv2.LINE_AA)
            case Text():
                _write(canvas, shape)
    return np.asarray(cv2.imencode(".png", canvas)[1]).tobytes()


def _write(canvas: NDArray[np.uint8], text: Text) -> None:
    font_scale = _PNG_SCALE * text.size * _FONT_SCALE
    thickness = _PNG_SCALE // 2
    (width, _), _ = cv2.getTextSize(text.words, _FONT, font_scale, thickness)
    x, y = _at(text.x, text.y)
    x -= {"start": 0, "middle": width // 2, "end": width}[text.anchor]
    cv2.putText(canvas, text.words, (x, y), _FONT, font_scale, _bgr(_INK), thickness, cv2.LINE_AA)


def _at(x: float, y: float) -> tuple[int, int]:
    return round(_PNG_SCALE * x), round(_PNG_SCALE * y)


def _bgr(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return blue, green, red
