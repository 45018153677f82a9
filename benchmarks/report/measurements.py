"""The page's parts about measurements: plain values for the template, made from a ``Result``."""

from __future__ import annotations

from typing import Any

from benchmarks.results.accuracy_columns import (
    accuracy_headings,
    cautions,
    front_of,
    right_percent,
    skipped_lines,
)
from benchmarks.results.columns import PAGE, all_figures, cells, headings, milliseconds
from benchmarks.results.result import Result
from benchmarks.results.tables import heat_lines, machine_line, note_lines, problem_lines, rows
from edge_effnet import plots
from edge_effnet.ui.console import megabytes

_OPERATORS = 10


def measurement(result: Result) -> dict[str, Any]:
    """What the template shows of a result."""
    return {
        "made": result.made[:16].replace("T", " "),
        "badge": _badge(result),
        "reasons": _reasons(result),
        "line": machine_line(result),
        "cautions": cautions(result),
        "headings": headings(result, PAGE),
        "models": [
            {
                "title": case.title,
                "front": row["pareto"],
                "noisy": not case.verdict.valid,
                "cells": cells(result, case, row, PAGE),
                "figures": all_figures(result, case, row),
            }
            for case, row in zip(result.cases, rows(result), strict=True)
        ],
        "latency": _latency(result),
        "front": _front(result),
        "heat": _heat(result),
        "heat_lines": heat_lines(result),
        "operators": _operators(result),
        "not_delegated": _not_delegated(result),
    }


def _badge(result: Result) -> tuple[str, str]:
    if not result.timed:
        return "bad", "emulated CPU: no device's speed"
    return ("good", "valid") if result.valid else ("bad", "not valid")


def _reasons(result: Result) -> list[str]:
    """Why it is not valid, beside the badge; what to do about it stands with the machine."""
    if not result.timed:
        return []
    reasons = [remark.what for remark in result.verdict.problems]
    for case in result.cases:
        reasons += [f"{case.title}: {remark.what}" for remark in case.verdict.problems]
    return reasons


def _latency(result: Result) -> str:
    if not result.timed:
        return ""
    shown = [
        plots.Distribution(case.title, case.samples_ms, case.spread.p50_ms, case.spread.p95_ms)
        for case in result.cases
    ]
    return plots.as_svg(plots.distributions(shown, "ms"), "latency distributions", inline=True)


def _front(result: Result) -> str:
    if not result.timed:
        return ""
    marks = []
    for index, (case, on_front) in enumerate(zip(result.cases, front_of(result), strict=True)):
        figures = result.accuracy_of(case) or {}
        if (right := right_percent(figures)) is not None:
            interval = figures.get("top1_interval") or figures.get("exact_match_interval")
            median = case.spread.median_interval_ms
            marks.append(
                plots.Mark(
                    case.title, case.spread.p50_ms, right, median, interval, bool(on_front), index
                )
            )
    if not marks:
        return ""
    figure = plots.scatter(marks, "median, ms", f"{accuracy_headings(result)[0]}, %")
    return plots.as_svg(figure, "accuracy against latency", inline=True)


def _heat(result: Result) -> list[str]:
    charts = []
    for key, name in (("temperature_c", "°C"), ("frequency_mhz", "MHz")):
        known = [entry for entry in result.timeline if entry.get(key) is not None]
        if len(known) > 1:
            minutes = [entry["seconds"] / 60 for entry in known]
            panel = plots.Panel(name, [(name, minutes, [entry[key] for entry in known])])
            figure = plots.lines([panel], "minutes")
            charts.append(plots.as_svg(figure, f"{name} over minutes", inline=True))
    return charts


def _operators(result: Result) -> list[tuple[str, list[tuple[str, int, str, float]]]]:
    """For each model that a native tool timed: (type, count, time, percent of the slowest)."""
    return [
        (
            case.title,
            [
                (name, count, milliseconds(ms), 100 * ms / (case.operator_ms[0][2] or 1))
                for name, count, ms in case.operator_ms[:_OPERATORS]
            ],
        )
        for case in result.cases
        if result.timed and case.operator_ms
    ]


def _not_delegated(result: Result) -> list[tuple[str, str]]:
    """(model, operators that the XNNPACK delegate leaves), where no native tool told more."""
    return [
        (case.title, ", ".join(f"{count} × {name}" for name, count in case.delegation.left))
        for case in result.cases
        if case.delegate and case.delegation and case.delegation.left
        if not (result.timed and case.operator_ms)
    ]


def machine(result: Result) -> dict[str, Any]:
    """The environment, then what was remarked, worst first."""
    where = result.environment
    facts = {
        "device": where.device,
        "CPU": where.cpu,
        "cores used": where.cores,
        "system": f"{where.machine}, {where.bits}-bit, kernel {where.kernel}",
        "fast int8": ", ".join(where.int8_features) or "no instructions for it",
        "memory": megabytes(where.memory_bytes) if where.memory_bytes else None,
        "runtime": where.runtime,
        "OpenCV, Python": f"{where.opencv}, {where.python}",
        "container": "yes" if where.container else "no",
        "governor": ", ".join(result.after.get("governors", ())) or None,
        "clock": _around(result, "frequency_mhz", "MHz"),
        "temperature": _around(result, "temperature_c", "°C"),
        "measured": f"{result.made}, {result.tool}",
    }
    return {
        "facts": {name: str(value) if value else "not known" for name, value in facts.items()},
        "problems": problem_lines(result),
        "notes": [*skipped_lines(result), *note_lines(result)],
    }


def _around(result: Result, key: str, unit: str) -> str | None:
    before, after = result.before.get(key), result.after.get(key)
    if before is None or after is None:
        return None
    return f"{before:.0f} {unit} before, {after:.0f} {unit} after"
