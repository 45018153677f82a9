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
    """Draw accuracy against multiply-adds and against the int8 file's size; where Matplotlib is
    missing, say so.

    Raises:
        OutputError: the folder cannot be written.
    """
    if missing := plots.missing_extra():
        say(f"no {' and '.join(PLOT_FILES)}: {missing}")
        return
    for name, x_name, x_of in (
        (PLOT_FILES[0], "multiply-adds in millions", lambda one: one.point.total.macs / 1e6),
        (PLOT_FILES[1], "int8 file in MB", lambda one: one.point.total.int8_bytes / 1e6),
    ):
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
    title = f"right answers in % (stopped early: after fewer than {result.config.epochs} epochs)"
    return plots.as_png(plots.scatter(marks, x_name, title))
