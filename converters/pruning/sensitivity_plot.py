"""Sensitivity as a picture: a row per group, a mark per width, agreement along the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from converters.pruning.sensitivity import Point

_ROW, _LEFT, _PLOT, _RIGHT, _TOP, _BOTTOM = 18, 130, 520, 30, 64, 44
# Okabe and Ito's palette, told apart by people who see no red or green; light to dark as less
# of a group is kept.
_COLORS = ("#56B4E9", "#0072B2", "#D55E00", "#333333")


def sensitivity_svg(points: Sequence[Point], title: str) -> str:
    """An SVG document; groups in the order of the network."""
    groups = list(dict.fromkeys(point.group for point in points))
    shares = sorted({_share(point) for point in points}, reverse=True)
    height = _TOP + _ROW * len(groups) + _BOTTOM
    width = _LEFT + _PLOT + _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
    ]
    for place, share in enumerate(shares):
        left = _LEFT + 6 + 110 * place
        parts.append(f'<circle cx="{left}" cy="42" r="4.5" fill="{_color(share, shares)}"/>')
        parts.append(f'<text x="{left + 10}" y="46">{share:.0%} kept</text>')
    bottom = _TOP + _ROW * len(groups)
    for percent in range(0, 101, 20):
        x = _across(percent / 100)
        parts.append(f'<path d="M{x:.1f} {_TOP - 6}V{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{percent} %</text>')
    parts.append(
        f'<text x="{_LEFT + _PLOT / 2}" y="{bottom + 34}" text-anchor="middle">'
        "answers unchanged when this group alone is narrowed, nothing recovered</text>"
    )
    for row, group in enumerate(groups):
        y = _TOP + _ROW * (row + 0.5)
        own = [point for point in points if point.group == group]
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(group)}</text>'
        )
        ends = [_across(point.agreement) for point in own]
        parts.append(f'<path d="M{min(ends):.1f} {y:.1f}H{max(ends):.1f}" stroke="#bbb"/>')
        for point in own:
            parts.append(
                f'<circle cx="{_across(point.agreement):.1f}" cy="{y:.1f}" r="4.5" '
                f'fill="{_color(_share(point), shares)}"><title>{escape(group)}: '
                f"{point.width} of {point.whole} channels, {point.agreement:.1%}</title></circle>"
            )
    return "\n".join([*parts, "</svg>", ""])


def _share(point: Point) -> float:
    """To the nearest quarter: a width is rounded to what kernels like."""
    return max(0.25, round(4 * point.width / point.whole) / 4)


def _across(agreement: float) -> float:
    return _LEFT + agreement * _PLOT


def _color(share: float, shares: Sequence[float]) -> str:
    return _COLORS[min(shares.index(share), len(_COLORS) - 1)]
