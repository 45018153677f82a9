"""The page's parts about measurements: plain values for the template, made from a ``Result``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.results.accuracy_columns import (
    accuracy_cells,
    accuracy_headings,
    cautions,
    front_of,
    right_percent,
    skipped_lines,
)
from benchmarks.results.result import Case, Result
from benchmarks.results.tables import heat_lines, machine_line, note_lines, problem_lines, rows
from edge_effnet import plots
from edge_effnet.ui.console import megabytes

_TIMES = (
    ("median", "p50_ms"),
    ("90 %", "p90_ms"),
    ("95 %", "p95_ms"),
    ("99 %", "p99_ms"),
    ("fastest", "min_ms"),
    ("mean", "mean_ms"),
    ("deviation", "deviation_ms"),
)
_OPERATORS = 10


def measurement(result: Result) -> dict[str, Any]:
    """What the template shows of a result."""
    has_accuracy = any(result.accuracy_of(case) for case in result.cases)
    table = list(zip(result.cases, rows(result), strict=True))
    return {
        "made": result.made[:16].replace("T", " "),
        "badge": _badge(result),
        "line": machine_line(result),
        "cautions": cautions(result),
        "headings": [
            *("median", "95 %"),
            *(accuracy_headings(result) if has_accuracy else ()),
            *("size", "memory"),
        ],
        "models": [
            {
                "title": case.title,
                "front": row["pareto"],
                "noisy": not case.verdict.valid,
                "cells": _cells(result, case, row, has_accuracy=has_accuracy),
                "figures": _figures(result, case, row),
            }
            for case, row in table
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


def _cells(result: Result, case: Case, row: Mapping[str, Any], *, has_accuracy: bool) -> list[str]:
    return [
        _milliseconds(row["p50_ms"]),
        _milliseconds(row["p95_ms"]),
        *(accuracy_cells(result.accuracy_of(case) or {}) if has_accuracy else ()),
        megabytes(case.size_bytes),
        megabytes(row["peak_bytes"]) if row["peak_bytes"] else "–",
    ]


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} ms"


def _figures(result: Result, case: Case, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """All figures of a case: (name, text)."""
    found = []
    if result.timed:
        found += [(name, f"{row[key]:.2f} ms") for name, key in _TIMES]
        found.append(("samples", str(row["samples"])))
    if row["ratio"]:
        interval = f"({row['ratio_low']:.2f}–{row['ratio_high']:.2f})"
        found.append(("of the first", f"{row['ratio']:.2f} {interval}"))
    if figures := result.accuracy_of(case):
        told = zip(accuracy_headings(result), accuracy_cells(figures), strict=True)
        found += [(name, text) for name, text in told if text != "–"]
    found.append(("file", megabytes(case.size_bytes)))
    if row["peak_bytes"]:
        found.append(("resident memory", megabytes(row["resident_bytes"] or 0)))
        found.append(("peak memory", megabytes(row["peak_bytes"])))
    if row["load_ms"] is not None:
        found.append(("load", f"{row['load_ms']:.0f} ms"))
        found.append(("first run", f"{row['first_ms']:.1f} ms"))
    if row["preprocess_ms"]:
        found.append(("preprocessing", f"{row['preprocess_ms']:.2f} ms"))
    if case.delegate:
        share = row["delegated"]
        found.append(("XNNPACK delegate", "unknown" if share is None else f"{100 * share:.0f} %"))
    return found


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
    for place, (case, on_front) in enumerate(zip(result.cases, front_of(result), strict=True)):
        figures = result.accuracy_of(case) or {}
        if (right := right_percent(figures)) is not None:
            interval = figures.get("top1_interval") or figures.get("exact_match_interval")
            median = case.spread.median_interval_ms
            marks.append(
                plots.Mark(
                    case.title, case.spread.p50_ms, right, median, interval, bool(on_front), place
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
                (name, count, _milliseconds(ms), 100 * ms / (case.operator_ms[0][2] or 1))
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
