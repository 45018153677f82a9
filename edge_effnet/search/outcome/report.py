"""A search as people read it."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from rich.console import Console

from edge_effnet.plurals import counted
from edge_effnet.search.outcome.intervals import Estimate
from edge_effnet.search.outcome.result import SearchResult, coefficients_text
from edge_effnet.search.pace import duration
from edge_effnet.search.points.matching import Family
from edge_effnet.search.setup import FOUND_FILE, PLOT_FILES, Plan
from edge_effnet.ui.console import megabytes, millions
from edge_effnet.ui.shown_commands import own_command
from edge_effnet.ui.tables import print_rows, say, table


def plan_lines(plan: Plan, at_once: int) -> list[str]:
    """What a search will do, and about how long it takes."""
    first, images, config = plan.points[0], plan.images, plan.config
    spec = first.spec
    halving = ", ".join(f"{stage.points + 1} to epoch {stage.epoch}" for stage in plan.stages)
    finalists = plan.stages[-1].points + 1
    more = f"; {finalists} of them with {config.seeds} seeds" if config.seeds > 1 else ""
    limits = ", ".join(
        f"{_LIMITS[name]} {millions(limit) if name == 'macs' else megabytes(limit)}"
        for name, limit in plan.family.limits.items()
    )
    if first.latency_ms is not None:
        limits = (
            f"int8 latency {first.latency_ms:.2f} ms, of {config.budget_latency_ms:g} allowed "
            "(multiply-adds differ)"
        )
    time = duration(plan.estimated_seconds(at_once))
    return [
        f"B0's coefficients at phi {plan.family.phi:g}: {spec.resolution} px, width "
        f"×{spec.width:.3f}, depth ×{spec.depth:.3f}; every point costs as much: {limits}",
        *_growth_lines(plan.family),
        *plan.left_out,
        f"images: {images.train} to learn from, {images.choose} to choose on, {images.confirm} to "
        "confirm on",
        f"{counted(len(plan.points), 'point')}, {counted(plan.trials, 'training')} ({halving}"
        f"{more}), {counted(plan.epochs, 'epoch')} in all, {at_once} at a time: {time}, a rough "
        "estimate until the first one is measured",
    ]


def _growth_lines(family: Family) -> list[str]:
    """Where the growth does not begin with the base."""
    if family.start == 0:
        return []
    return [
        f"alpha, beta and gamma are the growth of each of {family.steps:g} steps, from B0's "
        f"coefficients at phi {family.start:g}"
    ]


_LIMITS = {"macs": "multiply-adds", "size": "int8 file", "memory": "peak int8 activations"}


def print_search(out: Console, result: SearchResult, folder: Path) -> None:
    """The table, what to do next, and at last what is shown."""
    networks = table("point", "alpha", "beta", "gamma", "αβ²γ²", "depth", "width", "px", "peak")
    latency = ["int8 latency"] if result.timed else []
    figures = table(
        "point", "multiply-adds", *latency, "used", "epochs", "chosen on", "confirmed on"
    )
    for one in result.points:
        spec, coefficients = one.point.spec, one.point.coefficients
        style = "bold" if one.name == result.found else ""
        networks.add_row(
            one.name,
            f"{coefficients.alpha:.3f}",
            f"{coefficients.beta:.3f}",
            f"{coefficients.gamma:.3f}",
            f"{coefficients.product:.2f}",
            f"{spec.depth:.2f}",
            f"{spec.width:.2f}",
            str(spec.resolution),
            megabytes(one.point.total.peak_activations),
            style=style,
        )
        figures.add_row(
            one.name,
            millions(one.point.total.macs),
            *([f"{one.point.latency_ms:.2f} ms"] if result.timed else []),
            f"{100 * one.point.used:.1f} %",
            str(one.epochs),
            _figure(one.chosen_by),
            _figure(one.confirmed),
            style=style,
        )
    print_rows(out, networks)
    print_rows(out, figures)
    images = result.images
    say(
        out,
        f"right answers in % with 95 % intervals: chosen on {images.choose} held-out images, as "
        f"the best epoch was, confirmed on {images.confirm} others; points with fewer epochs were "
        "stopped early by successive halving; used: of the cost of B0's coefficients; peak: int8 "
        "activations",
        "dim",
    )
    out.print()
    plots = [str(folder / name) for name in PLOT_FILES if (folder / name).exists()]
    shown = f"; plots: {', '.join(plots)}" if plots else ""
    found = result.of(result.found)
    file = quote(str(folder / FOUND_FILE))
    say(out, f"found: {found.name} ({coefficients_text(found.point)}): {file}{shown}")
    say(out, f"next: {next_command(result, file)}")
    say(out, result.sentence, "bold")


def next_command(result: SearchResult, file: str) -> str:
    """The command that trains the network that was found."""
    config = result.config
    val = f" --val {quote(config.val)}" if config.val else ""
    side = result.of(result.found).point.spec.resolution
    return (
        f"{own_command()} train --data {quote(config.data)}{val} --variant {file} --weights random "
        f"--resolution {side}"
    )


def _figure(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    low, high = estimate.interval
    return f"{estimate.value:.1f} ({low:.1f}–{high:.1f})"
