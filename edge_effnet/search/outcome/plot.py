"""Accuracy against cost, with the Pareto front of the finalists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge_effnet import plots
from edge_effnet.files.write import write_atomically
from edge_effnet.search.outcome.result import PointResult, SearchResult, pareto_front
from edge_effnet.search.points.grid import BASELINE_NAME
from edge_effnet.search.setup import PLOT_FILES

_FINALIST, _BASELINE, _STOPPED = 0, 1, 4  # of plots.PALETTE


def write_plots(result: SearchResult, folder: Path, *, say: Callable[[str], None]) -> None:
    """Draw accuracy against multiply-adds, the int8 file's size and, where it was measured, its
    latency; where Matplotlib is missing, say so.

    Raises:
        OutputError: the folder cannot be written.
    """
    kinds: list[tuple[str, str, Callable[[PointResult], float]]] = [
        (PLOT_FILES[0], "multiply-adds in millions", lambda one: one.point.total.macs / 1e6),
        (PLOT_FILES[1], "int8 file in MB", lambda one: one.point.total.int8_bytes / 1e6),
    ]
    if result.timed:
        kinds.append((PLOT_FILES[2], "int8 latency in ms", lambda one: one.point.latency_ms or 0.0))
    if missing := plots.missing_extra():
        say(f"no {' and '.join(name for name, _, _ in kinds)}: {missing}")
        return
    for name, x_name, x_of in kinds:
        write_atomically(folder / name, plot_png(result, x_name, x_of), overwrite=True)


def plot_png(result: SearchResult, x_name: str, x_of: Callable[[PointResult], float]) -> bytes:
    """One plot. Points that were stopped early stand where they were then, on the images that
    choose; they are on no front."""
    finalists = {
        one.name: (x_of(one), one.confirmed.value) for one in result.points if one.confirmed
    }
    front = pareto_front(finalists)
    marks = []
    for one in result.points:
        figure = one.confirmed or one.chosen_by
        color = _FINALIST if one.confirmed else _STOPPED
        marks.append(
            plots.Mark(
                one.name,
                x_of(one),
                figure.value,
                y_interval=figure.interval,
                front=one.name in front,
                color=_BASELINE if one.name == BASELINE_NAME else color,
            )
        )
    title = "right answers in %; orange: B0's coefficients, brown: stopped early"
    return plots.as_png(plots.scatter(marks, x_name, title))
