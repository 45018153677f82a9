"""Accuracy against time: a point for each model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_effnet.plots.charts import new_figure, number_text, shortened
from edge_effnet.plots.style import GOOD, HINT, PALETTE, PAPER, SOFT, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

_BAR_PIXELS = 3  # around an error bar, for its caps


@dataclass(frozen=True)
class Mark:
    """A point of ``scatter`` with its intervals (low, high), where they are known."""

    title: str
    x: float
    y: float
    x_interval: Sequence[float] | None = None
    y_interval: Sequence[float] | None = None
    front: bool = False
    color: int = 0


@styled()
def scatter(marks: Sequence[Mark], x_name: str, y_name: str) -> Figure:
    """Points with error bars, and a line through those on the front. Points are named, those on the
    front first, where the name covers no bar and no other name."""
    figure, axes = new_figure(3.1)
    axes.grid(axis="y", linewidth=0.6)
    front = sorted((mark for mark in marks if mark.front), key=lambda mark: mark.x)
    axes.plot([m.x for m in front], [m.y for m in front], "--", color=SOFT, linewidth=1.1)
    for mark in marks:
        color = PALETTE[mark.color % len(PALETTE)]
        axes.errorbar(
            mark.x,
            mark.y,
            xerr=_reach(mark.x, mark.x_interval),
            yerr=_reach(mark.y, mark.y_interval),
            color=color,
            capsize=3,
            elinewidth=1.1,
        )
        (dot,) = axes.plot(
            mark.x, mark.y, "o", color=color, markersize=7, markeredgewidth=1.2,
            markeredgecolor=GOOD if mark.front else PAPER,
        )  # fmt: skip
        dot.set_gid(f"{HINT}{mark.title}: {number_text(mark.x)}, {number_text(mark.y)}")
    axes.set(xlabel=x_name)
    axes.set_title(y_name, loc="left", size=9, color=SOFT)
    axes.margins(x=0.2, y=0.16)
    left, right = axes.get_xlim()
    axes.set_xlim(0 if left < right / 3 else left, right)
    _name_marks(figure, axes, [*front, *(mark for mark in marks if not mark.front)], marks)
    return figure


def _reach(value: float, interval: Sequence[float] | None) -> list[list[float]] | None:
    """How far an interval (low, high) reaches below and above a value, as ``errorbar`` takes it."""
    if not interval:
        return None
    return [[max(0.0, value - interval[0])], [max(0.0, interval[1] - value)]]


def _name_marks(figure: Figure, axes: Axes, named: Sequence[Mark], marks: Sequence[Mark]) -> None:
    """Write names beside their points, each in the first corner that is free and nearer to no other
    point; all of them stand below the chart too."""
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()  # settles the layout that the boxes below are measured in
    taken = []
    for mark in marks:
        spans = (mark.x_interval or (mark.x, mark.x), mark.y_interval or (mark.y, mark.y))
        for ends in (((low, mark.y) for low in spans[0]), ((mark.x, low) for low in spans[1])):
            taken.append(Bbox(axes.transData.transform(list(ends))).padded(_BAR_PIXELS))
    for mark in named:
        for right, up in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
            name = axes.annotate(
                shortened(mark.title, 30), (mark.x, mark.y), xytext=(7 * right, 7 * up),
                textcoords="offset points", ha="left" if right > 0 else "right",
                va="bottom" if up > 0 else "top", size=9,
                color=PALETTE[mark.color % len(PALETTE)],
            )  # fmt: skip
            box = name.get_window_extent()
            inside = axes.bbox.containsx(box.x0) and axes.bbox.containsx(box.x1)
            nearest = min(marks, key=lambda other: _gap(axes, other, box))
            if inside and nearest is mark and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            name.remove()


def _gap(axes: Axes, mark: Mark, box: Bbox) -> float:
    """Pixels between a point and a box, squared."""
    x, y = axes.transData.transform((mark.x, mark.y))
    across, down = max(box.x0 - x, x - box.x1, 0.0), max(box.y0 - y, y - box.y1, 0.0)
    return float(across**2 + down**2)
