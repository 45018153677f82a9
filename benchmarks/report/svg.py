"""Charts as SVG text. Each takes plain numbers and words, and answers with one element.

All are drawn 360 units wide, the width of a phone, so that their text is readable there and
grows with them on a wider screen. Colours are classes of the page's style, which has a dark
side too. A chart names itself for screen readers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 360
_LEFT, _RIGHT = 8, 352
_BINS = 48


@dataclass(frozen=True)
class Strip:
    """One row of ``distributions``: samples with what is marked on them."""

    title: str
    samples: Sequence[float]
    p50: float
    p95: float
    colour: int


@dataclass(frozen=True)
class Dot:
    """A point of ``scatter``."""

    title: str
    x: float
    y: float
    front: bool
    colour: int


def distributions(strips: Sequence[Strip], unit: str) -> str:
    """Histograms below each other on one axis, with p50 and p95 marked.

    The axis is logarithmic, because models differ by factors, and ends a little beyond the
    slowest strip's 98 %; what lies further is counted.
    """
    row, top = 46, 4
    end = max(_quantile(strip.samples, 0.98) for strip in strips) * 1.1
    start = max(min(min(strip.samples) for strip in strips) * 0.95, end / 1e4)
    span = math.log(end / start)

    def share(value: float) -> float:
        return math.log(min(max(value, start), end) / start) / span

    def x(value: float) -> float:
        return _LEFT + share(value) * (_RIGHT - _LEFT)

    parts = []
    for place, strip in enumerate(strips):
        base = top + place * row + row - 6
        counts = [0] * _BINS
        beyond = 0
        for value in strip.samples:
            if value > end:
                beyond += 1
            else:
                counts[min(_BINS - 1, int(share(value) * _BINS))] += 1
        tallest, width = max(counts) or 1, (_RIGHT - _LEFT) / _BINS
        for index, count in enumerate(counts):
            if count:
                height = max(1.0, 22 * count / tallest)
                parts.append(
                    f'<rect class="c{strip.colour}" x="{_LEFT + index * width:.1f}" '
                    f'y="{base - height:.1f}" width="{width - 0.6:.1f}" height="{height:.1f}"/>'
                )
        for value, style in ((strip.p50, "mark"), (strip.p95, "mark thin")):
            parts.append(
                f'<line class="{style}" x1="{x(value):.1f}" x2="{x(value):.1f}" '
                f'y1="{base - 24}" y2="{base + 2}"/>'
            )
        parts.append(_text(_LEFT, base - 27, strip.title, "label"))
        tail = f", {beyond} beyond" if beyond else ""
        figures = f"{_figure(strip.p50)} · {_figure(strip.p95)} {unit}{tail}"
        parts.append(_text(_RIGHT, base - 27, figures, "value", "end"))
    height = top + len(strips) * row + 26
    parts += _axis(_log_ticks(start, end), height - 24, x, unit)
    return _svg(height, "latency distributions", parts)


def scatter(dots: Sequence[Dot], x_name: str, y_name: str) -> str:
    """Points with the front drawn through those on it; x grows to the right, y upwards."""
    height, top, bottom, left = 250, 14, 214, 34
    xs, ys = [dot.x for dot in dots], [dot.y for dot in dots]
    x_end = max(xs) * 1.15
    spread = max(ys) - min(ys)
    y_low, y_high = min(ys) - 0.25 * spread - 1, min(max(ys) + 0.25 * spread + 1, 101)

    def x(value: float) -> float:
        return left + (value / x_end) * (_RIGHT - left)

    def y(value: float) -> float:
        return bottom - (value - y_low) / (y_high - y_low) * (bottom - top)

    parts = []
    for tick in _ticks(y_low, y_high, 4):
        parts.append(
            f'<line class="grid" x1="{left}" x2="{_RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        )
        parts.append(_text(left - 4, y(tick) + 3, _figure(tick), "tick", "end"))
    front = sorted((dot for dot in dots if dot.front), key=lambda dot: dot.x)
    steps = " ".join(f"{x(dot.x):.1f},{y(dot.y):.1f}" for dot in front)
    if len(front) > 1:
        parts.append(f'<polyline class="front" points="{steps}"/>')
    for dot in dots:
        if dot.front:
            parts.append(f'<circle class="ring" cx="{x(dot.x):.1f}" cy="{y(dot.y):.1f}" r="7"/>')
        parts.append(
            f'<circle class="c{dot.colour}" cx="{x(dot.x):.1f}" cy="{y(dot.y):.1f}" r="4.5">'
            f"<title>{escape(dot.title)}: {_figure(dot.x)}, {_figure(dot.y)}</title></circle>"
        )
    for dot in front:  # the others are named below the chart, where there is room
        anchor = "end" if x(dot.x) > 0.75 * WIDTH else "start"
        shift = -6 if anchor == "end" else 6
        parts.append(_text(x(dot.x) + shift, y(dot.y) - 11, dot.title, "label", anchor))
    parts += _axis(_ticks(0, x_end, 5), bottom + 4, x, x_name)
    parts.append(_text(_LEFT, 10, y_name, "tick"))
    return _svg(height, f"{y_name} against {x_name}", parts)


def changes(rows: Sequence[tuple[str, float, str]], name: str) -> str:
    """Bars to the left (worse) and right (better) of 0: (label, share from -1 to 1, note)."""
    row, middle, half = 20, 244, 100
    reach = max([abs(value) for _, value, _ in rows] + [0.05])
    parts = [f'<line class="grid" x1="{middle}" x2="{middle}" y1="0" y2="{row * len(rows) + 4}"/>']
    for place, (label, value, note) in enumerate(rows):
        y = place * row + 4
        width = abs(value) / reach * half
        parts.append(
            f'<rect class="{"worse" if value < 0 else "better"}" '
            f'x="{middle - width if value < 0 else middle:.1f}" y="{y + 2}" '
            f'width="{max(width, 1):.1f}" height="11"/>'
        )
        parts.append(_text(_LEFT, y + 12, label, "label"))
        parts.append(_text(_RIGHT + 6, y + 12, note, "value", "end"))
    return _svg(row * len(rows) + 8, name, parts)


def matrix(cells: Sequence[tuple[int, int, int]], names: Sequence[str], name: str) -> str:
    """A confusion matrix: rows are true classes, columns answers, both indices of ``names``.

    Shades go by the share of the row; right answers and mistakes have different colours.
    """
    count, left, top = len(names), 96, 4
    side = (WIDTH - left - 4) / count
    totals = [0] * count
    for true, _, images in cells:
        totals[true] += images
    parts = []
    for true, answered, images in cells:
        share = images / (totals[true] or 1)
        style = "right" if true == answered else "wrong"
        x, y = left + answered * side, top + true * side
        parts.append(
            f'<rect class="{style}" fill-opacity="{0.15 + 0.85 * share:.2f}" x="{x:.1f}" '
            f'y="{y:.1f}" width="{side - 0.8:.1f}" height="{side - 0.8:.1f}">'
            f"<title>{escape(names[true])} answered as {escape(names[answered])}: {images}"
            "</title></rect>"
        )
        if side >= 15:
            parts.append(_text(x + side / 2 - 0.4, y + side / 2 + 3, str(images), "cell", "middle"))
    for place, label in enumerate(names):
        y = top + (place + 0.5) * side + 3
        parts.append(_text(left - 4, y, label, "tick", "end"))
    height = top + count * side + 76
    for place, label in enumerate(names):
        x, y = left + (place + 0.5) * side + 3, top + count * side + 6
        parts.append(
            f'<text class="tick" text-anchor="end" transform="translate({x:.1f},{y:.1f}) '
            f'rotate(-60)">{escape(_short(label, 16))}</text>'
        )
    return _svg(height, name, parts)


def lines(points: Sequence[tuple[float, float]], x_name: str, y_name: str) -> str:
    """One line over time, as of a temperature."""
    top, bottom, left = 14, 100, 34
    x_end = max(x for x, _ in points) or 1
    low, high = min(y for _, y in points), max(y for _, y in points)
    low, high = (low, high) if high - low > 1e-9 else (low - 1, high + 1)

    def x(value: float) -> float:
        return left + value / x_end * (_RIGHT - left)

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)
    parts = [f'<polyline class="front" points="{path}"/>']
    parts += [_text(left - 4, y(value) + 3, _figure(value), "tick", "end") for value in (low, high)]
    parts += _axis(_ticks(0, x_end, 5), bottom + 4, x, x_name)
    parts.append(_text(_LEFT, 10, y_name, "tick"))
    return _svg(138, f"{y_name} over {x_name}", parts)


def _axis(ticks: Sequence[float], y: float, x: Callable[[float], float], name: str) -> list[str]:
    parts = [f'<line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}"/>']
    for tick in ticks:
        place = x(tick)
        parts.append(
            f'<line class="axis" x1="{place:.1f}" x2="{place:.1f}" y1="{y - 3}" y2="{y}"/>'
        )
        parts.append(_text(place, y + 11, _figure(tick), "tick", "middle"))
    parts.append(_text(_RIGHT, y + 22, name, "tick", "end"))
    return parts


def _log_ticks(start: float, end: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two values; more of them in a narrow range."""
    powers = range(math.floor(math.log10(start)), math.ceil(math.log10(end)) + 1)
    steps: tuple[float, ...] = (1, 2, 5)
    if end / start < 4:
        steps = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    return [step * 10**p for p in powers for step in steps if start <= step * 10**p <= end]


def _ticks(start: float, end: float, about: int) -> list[float]:
    """Round numbers between two values: multiples of 1, 2 or 5 times a power of ten."""
    span = max(end - start, 1e-9)
    power = 10 ** math.floor(math.log10(span / about))
    step = next(power * k for k in (1, 2, 5, 10) if span / (power * k) <= about)
    first = math.ceil(start / step)
    return [k * step for k in range(first, math.floor(end / step) + 1)]


def _quantile(samples: Sequence[float], share: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _figure(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    limit = {"label": 34, "tick": 18}.get(style, 60)
    return (
        f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(_short(words, limit))}</text>"
    )


def _svg(height: float, name: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(name)}">'
        + "".join(parts)
        + "</svg>"
    )
