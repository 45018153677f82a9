"""The kinds of plots: each takes plain numbers and words and answers with a figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edge_effnet.plots.style import BAD, FAINT, GOOD, HINT, INK, PALETTE, SOFT, styled
from edge_effnet.printable import without_surrogates

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_INCHES = 4.9
_LEAST_INCHES = 2.4  # as tall as the scatter plot beside it
_BINS = 64


@dataclass(frozen=True)
class Distribution:
    """A row of ``distributions``: samples, their median and what 95 % of them are under."""

    title: str
    samples: Sequence[float]
    p50: float
    p95: float


Curve: TypeAlias = tuple[str, Sequence[float], Sequence[float]]
"""Its name, x values and y values."""


@dataclass(frozen=True)
class Panel:
    """One pair of axes of ``lines``."""

    title: str
    curves: Sequence[Curve]


@dataclass(frozen=True)
class DotRow:
    """A row of ``dots``: (value, index of a colour, hint under the pointer) of each dot."""

    title: str
    dots: Sequence[tuple[float, int, str]]
    note: str = ""


@styled()
def distributions(rows: Sequence[Distribution], unit: str) -> Figure:
    """Histograms below each other on one logarithmic axis, because models differ by factors.

    The axis ends a little beyond the slowest row's 98 %; what lies further is counted.
    """
    end = max(1.1 * max(_quantile(row.samples, 0.98) for row in rows), 1e-6)
    start = max(0.95 * min(min(row.samples) for row in rows), end / 1e4)
    edges = [start * (end / start) ** (step / _BINS) for step in range(_BINS + 1)]
    figure, axes = new_figure(0.5 + max(0.72 * len(rows), _LEAST_INCHES))
    for index, row in enumerate(rows):
        base, color = len(rows) - 1 - index, PALETTE[index % len(PALETTE)]
        counts = _counts(row.samples, start, end)
        tops = [base + 0.55 * count / (max(counts) or 1) for count in counts]
        axes.stairs(tops, edges, baseline=base, fill=True, color=color)
        axes.hlines(base, start, end, colors=FAINT, linewidth=0.8)
        low, high = base - 0.05, base + 0.57
        axes.vlines(min(row.p50, end), low, high, INK, "solid", linewidth=1.1)
        axes.vlines(min(row.p95, end), low, high, INK, "dotted", linewidth=1.1)
        beyond = sum(value > end for value in row.samples)
        tail = f", {beyond} beyond" if beyond else ""
        figures = f"{number_text(row.p50)} · {number_text(row.p95)} {unit}{tail}"
        axes.text(start, base + 0.66, shortened(row.title, 40), va="bottom")
        axes.text(end, base + 0.66, figures, va="bottom", ha="right", color=SOFT, size=9)
    axes.set(xscale="log", xlim=(start, end), ylim=(-0.1, len(rows) - 0.1), xlabel=unit)
    axes.set_yticks([])
    _log_ticks(
        axes, start, end, (1, 2, 5) if end / start > 5 else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 7)
    )
    return figure


@styled()
def changes(rows: Sequence[tuple[str, float, str]]) -> Figure:
    """Bars to the left (worse) and right (better) of 0: (label, share from -1 to 1, note)."""
    figure, axes = new_figure(0.4 + 0.27 * len(rows))
    reach = max([abs(value) for _, value, _ in rows] + [0.05])
    indices = range(len(rows))
    colors = [BAD if value < 0 else GOOD for _, value, _ in rows]
    axes.barh(indices, [100 * value for _, value, _ in rows], height=0.62, color=colors)
    axes.axvline(0, color=SOFT, linewidth=0.8)
    axes.set(xlim=(-105 * reach, 105 * reach), xlabel="points", ylim=(len(rows) - 0.4, -0.6))
    _row_labels(axes, [label for label, _, _ in rows], [note for _, _, note in rows])
    return figure


@styled()
def matrix(cells: Sequence[tuple[int, int, int]], names: Sequence[str]) -> Figure:
    """A confusion matrix: rows are true classes, columns answers, both indices of ``names``.

    Shades go by the share of the row; right answers and mistakes have different colours.
    """
    from matplotlib.patches import Rectangle

    count = len(names)
    figure, axes = new_figure(_WIDTH_INCHES)
    totals = [sum(images for true, _, images in cells if true == row) for row in range(count)]
    for true, answered, images in cells:
        share = images / (totals[true] or 1)
        cell = Rectangle(
            (answered - 0.47, true - 0.47), 0.94, 0.94, linewidth=0, alpha=0.15 + 0.8 * share,
            facecolor=GOOD if true == answered else BAD,
        )  # fmt: skip
        cell.set_gid(f"{HINT}{names[true]} answered as {names[answered]}: {images}")
        axes.add_patch(cell)
        if count <= 20:
            axes.text(
                answered, true, str(images), ha="center", va="center", size=min(10, 130 / count)
            )
    shown = [shortened(name, 18) for name in names]
    size = min(9, 170 / count)
    axes.set_xticks(range(count), shown, rotation=60, ha="right", rotation_mode="anchor", size=size)
    axes.set_yticks(range(count), shown, size=size)
    axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), aspect="equal")
    axes.tick_params(length=0)
    return figure


@styled()
def lines(panels: Sequence[Panel], x_name: str) -> Figure:
    """Curves over one quantity, a pair of axes for each panel beside each other."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure((_WIDTH_INCHES * (0.35 + 0.65 * len(panels)), 2.4), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for index, (name, xs, ys) in enumerate(panel.curves):
            axes.plot(
                xs, ys, color=PALETTE[index], label=shortened(name, 60), marker="o", markersize=2.5
            )
        axes.grid(axis="y", linewidth=0.6)
        axes.set_title(panel.title, loc="left", size=10, color=INK)
        axes.set_xlabel(x_name)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=x_name == "epoch"))
        if len(panel.curves) > 1:
            axes.legend()
    return figure


@styled()
def dots(
    rows: Sequence[DotRow],
    title: str,
    x_name: str,
    *,
    legend: Sequence[tuple[str, int]] = (),
    logarithmic: bool = False,
    note: str = "",
) -> Figure:
    """A row for each thing with dots along one axis, as of Cleveland.

    Args:
        legend: names of the colours' indices.
        note: a line below.
    """
    figure, axes = new_figure(1.3 + 0.24 * len(rows), width=8.2)
    values = [value for row in rows for value, _, _ in row.dots]
    low = 10.0 ** math.floor(math.log10(min(values))) if logarithmic else 0.0
    for index, row in enumerate(rows):
        values = [value for value, _, _ in row.dots]
        axes.hlines(index, low if len(values) == 1 else min(values), max(values), colors=FAINT)
        for value, color, hint in row.dots:
            (dot,) = axes.plot(value, index, "o", color=PALETTE[color], markersize=6)
            dot.set_gid(HINT + hint)
    axes.grid(axis="x", linewidth=0.6)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel=f"{x_name}\n{note}" if note else x_name)
    axes.set_title(title, loc="left", size=12, pad=24 if legend else 8)
    if logarithmic:
        end = 10.0 ** math.ceil(math.log10(1.001 * max(values)))
        axes.set(xscale="log", xlim=(low, end))
        _log_ticks(axes, low, end, (1,))
    for name, color in legend:
        axes.plot([], [], "o", color=PALETTE[color], label=shortened(name, 60))
    if legend:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(legend), borderpad=0)
    _row_labels(axes, [row.title for row in rows], [row.note for row in rows])
    return figure


def new_figure(height: float, width: float = _WIDTH_INCHES) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, in inches."""
    from matplotlib.figure import Figure

    figure = Figure((width, height), layout="constrained")
    return figure, figure.subplots()


def _row_labels(axes: Axes, left: Sequence[str], right: Sequence[str]) -> None:
    """Names of rows on the left, figures on the right."""
    axes.set_yticks(range(len(left)), [shortened(label, 38) for label in left], color=INK)
    other = axes.secondary_yaxis("right")
    other.set_yticks(range(len(right)), list(right))
    for each in (axes, other):
        each.tick_params(axis="y", length=0)
    other.spines["right"].set_visible(False)


def _log_ticks(axes: Axes, start: float, end: float, steps: Sequence[float]) -> None:
    """Powers of ten, and ``steps`` times them, between two values."""
    powers = range(math.floor(math.log10(start)), math.ceil(math.log10(end)) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps]
    ticks = [tick for tick in ticks if 0.999 * start <= tick <= 1.001 * end]
    axes.set_xticks(ticks, list(map(number_text, ticks)))
    axes.set_xticks([], minor=True)


def _counts(samples: Sequence[float], start: float, end: float) -> list[int]:
    """Samples in each of the logarithmic bins; those beyond the end are left out."""
    counts = [0] * _BINS
    for value in samples:
        if value <= end:
            share = math.log(max(value, start) / start) / math.log(end / start)
            counts[min(_BINS - 1, int(share * _BINS))] += 1
    return counts


def _quantile(samples: Sequence[float], share: float) -> float:
    return sorted(samples)[min(len(samples) - 1, int(share * len(samples)))]


def number_text(value: float) -> str:
    """With three digits; whole from 100 on."""
    return f"{value:.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"


def shortened(text: str, letters: int) -> str:
    """At most so many letters, as Matplotlib takes them."""
    text = without_surrogates(text)
    return text if len(text) <= letters else text[: letters - 1] + "…"
