"""The page's parts about measurements, each an HTML fragment made from a ``Result``."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.report import svg
from benchmarks.results.accuracy_columns import (
    accuracy_cells,
    accuracy_headings,
    front_of,
    judging_lines,
    right_percent,
    skipped_lines,
)
from benchmarks.results.result import Result
from benchmarks.results.tables import heat_lines, machine_line, note_lines, problem_lines, rows
from edge_effnet.ui.console import megabytes

COLOURS = 6


def section(title: str, body: str, hint: str = "", *, half: bool = False) -> str:
    """A titled part; ``half`` ones stand side by side where there is room. Empty without body."""
    if not body:
        return ""
    note = f"<p class='hint'>{escape(hint)}</p>" if hint else ""
    style = " class='half'" if half else ""
    return f"<section{style}><h2>{escape(title)}</h2>{note}{body}</section>"


def badge(result: Result) -> str:
    if result.environment.emulated:
        return "<span class='badge bad'>emulated CPU: no device's speed</span>"
    if result.valid:
        return "<span class='badge good'>valid</span>"
    return "<span class='badge bad'>not valid</span>"


def overview(result: Result) -> str:
    """The table people buy hardware on; narrow enough for a phone."""
    judged = any(result.accuracy_of(case) for case in result.cases)
    heads = ["model", "median", "95 %", *(accuracy_headings(result) if judged else [])]
    heads += ["size", "memory"]
    lines = []
    for place, (case, row) in enumerate(zip(result.cases, rows(result), strict=True)):
        star = "<b class='star' title='on the front'>★</b>" if row["pareto"] else ""
        doubt = "" if case.verdict.valid else "<b class='doubt' title='noisy'>?</b>"
        name = f"<i class='dot c{place % COLOURS}'></i>{escape(case.title)}{star}{doubt}"
        cells = [_milliseconds(row["p50_ms"]), _milliseconds(row["p95_ms"])]
        cells += accuracy_cells(result.accuracy_of(case) or {}) if judged else []
        cells += [megabytes(case.size_bytes)]
        cells += [megabytes(row["peak_bytes"]) if row["peak_bytes"] else "–"]
        figures = "".join(
            f"<td class='n' data-head='{head}'>{cell}</td>"
            for head, cell in zip(heads[1:], cells, strict=True)
        )
        lines.append(f"<tr><td>{name}</td>{figures}</tr>")
    head = "".join(f"<th{' class=n' if i else ''}>{h}</th>" for i, h in enumerate(heads))
    stars = "★ no other is both faster and as accurate. " if "★" in "".join(lines) else ""
    doubts = "? its samples alone are in doubt." if "doubt" in "".join(lines) else ""
    told = "".join(f"<li>{escape(line)}</li>" for line in judging_lines(result))
    return (
        (f"<ul class='remarks'>{told}</ul>" if told else "")
        + f"<table class='models'><tr>{head}</tr>{''.join(lines)}</table>"
        + (f"<p class='hint'>{stars}{doubts}</p>" if stars or doubts else "")
        + f"<details><summary>All figures</summary>{cards_of(result)}</details>"
    )


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} ms"


def cards_of(result: Result) -> str:
    """One card for each case with all its figures."""
    cards = []
    for place, (case, row) in enumerate(zip(result.cases, rows(result), strict=True)):
        figures = [
            (name, f"{row[key]:.2f} ms")
            for name, key in (
                ("median", "p50_ms"),
                ("90 %", "p90_ms"),
                ("95 %", "p95_ms"),
                ("99 %", "p99_ms"),
                ("fastest", "min_ms"),
                ("mean", "mean_ms"),
                ("deviation", "deviation_ms"),
            )
            if result.timed
        ]
        if result.timed:
            figures.append(("samples", str(row["samples"])))
        if row["ratio"]:
            spoken = f"{row['ratio']:.2f}", f"{row['ratio_low']:.2f}–{row['ratio_high']:.2f}"
            figures.append(("of the first", f"{spoken[0]} <small>{spoken[1]}</small>"))
        if judged := result.accuracy_of(case):
            told = zip(accuracy_headings(result), accuracy_cells(judged), strict=True)
            figures += [(name, text) for name, text in told if text != "–"]
        figures.append(("file", megabytes(case.size_bytes)))
        if row["peak_bytes"]:
            figures.append(("resident memory", megabytes(row["resident_bytes"] or 0)))
            figures.append(("peak memory", megabytes(row["peak_bytes"])))
        if row["load_ms"] is not None:
            figures.append(("load", f"{row['load_ms']:.0f} ms"))
            figures.append(("first run", f"{row['first_ms']:.1f} ms"))
        if row["preprocess_ms"]:
            figures.append(("preprocessing", f"{row['preprocess_ms']:.2f} ms"))
        if case.delegate:
            share = row["delegated"]
            known = "unknown" if share is None else f"{100 * share:.0f} %"
            figures.append(("fast kernels", known))
        grid = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in figures)
        star = "<span class='badge good'>on the front</span>" if row["pareto"] else ""
        doubt = "" if case.verdict.valid else "<span class='badge bad'>noisy</span>"
        cards.append(
            f"<div class='card'><h3><i class='dot c{place % COLOURS}'></i>{escape(case.title)}"
            f"</h3>{star}{doubt}<dl>{grid}</dl></div>"
        )
    return f"<div class='cards'>{''.join(cards)}</div>"


def latencies(result: Result) -> str:
    if not result.timed:
        return ""
    strips = [
        svg.Strip(
            case.title, case.samples_ms, case.spread.p50_ms, case.spread.p95_ms, place % COLOURS
        )
        for place, case in enumerate(result.cases)
    ]
    return f"<div class='chart'>{svg.distributions(strips, 'ms')}</div>"


def front(result: Result) -> str:
    if not result.timed:
        return ""
    marks = front_of(result)
    dots = []
    for place, case in enumerate(result.cases):
        right = right_percent(result.accuracy_of(case) or {})
        if right is not None:
            dots.append(
                svg.Dot(case.title, case.spread.p50_ms, right, bool(marks[place]), place % COLOURS)
            )
    if not dots:
        return ""
    legend = "".join(
        f"<li><i class='dot c{dot.colour}'></i>{escape(dot.title)}</li>" for dot in dots
    )
    chart = svg.scatter(dots, "median, ms", f"{accuracy_headings(result)[0]}, %")
    return f"<div class='chart'>{chart}<ul class='legend'>{legend}</ul></div>"


def heat(result: Result) -> str:
    charts = []
    for key, name in (("temperature_c", "°C"), ("frequency_mhz", "MHz")):
        points = [
            (entry["seconds"] / 60, entry[key])
            for entry in result.timeline
            if entry.get(key) is not None
        ]
        if len(points) > 1:
            charts.append(f"<div class='chart'>{svg.lines(points, 'minutes', name)}</div>")
    return "".join([*charts, *(f"<p>{escape(line)}</p>" for line in heat_lines(result))])


def operators(result: Result) -> str:
    """Time per operator type, where a native tool told; else who computes what."""
    lines = []
    for case in result.cases:
        if result.timed and case.operator_ms:
            most = case.operator_ms[0][2] or 1
            bars = "".join(
                f"<tr><td>{escape(name)}</td><td class='n'>{count}</td>"
                f"<td class='n'>{ms:.2f} ms</td>"
                f"<td class='bar'><i style='width:{100 * ms / most:.0f}%'></i></td></tr>"
                for name, count, ms in case.operator_ms[:10]
            )
            lines.append(f"<h3>{escape(case.title)}</h3><table>{bars}</table>")
        elif case.delegate and case.delegation and case.delegation.left:
            left = ", ".join(f"{count} × {name}" for name, count in case.delegation.left)
            lines.append(
                f"<p><b>{escape(case.title)}</b> leaves to slow kernels: {escape(left)}</p>"
            )
    return "".join(lines)


def machine(result: Result) -> str:
    """The environment as a table, then what was remarked, worst first."""
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
    table = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value)) if value else 'not known'}</td></tr>"
        for name, value in facts.items()
    )
    remarks = "".join(f"<li class='bad'>{escape(line)}</li>" for line in problem_lines(result))
    told = [*skipped_lines(result), *note_lines(result)]
    remarks += "".join(f"<li>{escape(line)}</li>" for line in told)
    return f"<table class='facts'>{table}</table><ul class='remarks'>{remarks}</ul>"


def _around(result: Result, key: str, unit: str) -> str | None:
    before, after = result.before.get(key), result.after.get(key)
    if before is None or after is None:
        return None
    return f"{before:.0f} {unit} before, {after:.0f} {unit} after"


def headline(results: Sequence[Result]) -> str:
    return "".join(
        f"<p class='machine'>{badge(result)} {escape(machine_line(result))}</p>"
        for result in results
    )
