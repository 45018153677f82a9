"""Curves of precision against recall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_effnet.plots.style import HINT, PALETTE, PAPER, styled
from edge_effnet.printable import without_surrogates

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZE_INCHES = (4.9, 3.6)
_STYLES = ("-", "--", ":")  # of classes beyond the palette


@dataclass(frozen=True)
class RecallPoint:
    """An operating point: shares 0–1 with their intervals (low, high)."""

    title: str
    recall: float
    precision: float
    recall_interval: Sequence[float]
    precision_interval: Sequence[float]


@dataclass(frozen=True)
class RecallCurve:
    """Precision at each recall, 0–1, from the highest threshold down, and points of the class."""

    title: str
    recall: Sequence[float]
    precision: Sequence[float]
    points: Sequence[RecallPoint] = ()


@styled()
def precision_recall(curves: Sequence[RecallCurve]) -> Figure:
    """A curve for each class, in steps (nothing is interpolated), its points with error bars."""
    from matplotlib.figure import Figure

    figure = Figure(_SIZE_INCHES, layout="constrained")
    axes = figure.subplots()
    axes.grid(linewidth=0.6)
    for index, curve in enumerate(curves):
        color = PALETTE[index % len(PALETTE)]
        style = _STYLES[index // len(PALETTE) % len(_STYLES)]
        recall = [0.0, *(100 * share for share in curve.recall)]
        precision = [100 * share for share in (*curve.precision[:1], *curve.precision)]
        name = without_surrogates(curve.title)[:60]
        axes.step(recall, precision, style, where="pre", color=color, label=name)
        for point in curve.points:
            x, y = 100 * point.recall, 100 * point.precision
            axes.errorbar(
                x,
                y,
                xerr=_reach(x, point.recall_interval),
                yerr=_reach(y, point.precision_interval),
                color=color,
                capsize=3,
                elinewidth=1.1,
            )
            (dot,) = axes.plot(x, y, "o", color=color, markersize=7, markeredgecolor=PAPER)
            dot.set_gid(f"{HINT}{point.title}: recall {x:.1f} %, precision {y:.1f} %")
    axes.set(xlim=(0, 102), ylim=(0, 104), xlabel="recall in %", ylabel="precision in %")
    axes.legend(loc="lower left")
    return figure


def _reach(value: float, interval: Sequence[float]) -> list[list[float]]:
    """How far an interval of shares reaches below and above a value in percent."""
    low, high = (100 * bound for bound in interval)
    return [[max(0.0, value - low)], [max(0.0, high - value)]]
