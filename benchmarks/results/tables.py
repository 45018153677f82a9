"""A result as a table: on a terminal, as CSV, as Markdown. Units are added only here."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from statistics import median
from typing import Any

from rich.console import Console
from rich.text import Text

from benchmarks.results.accuracy_columns import (
    cautions,
    front_of,
    skipped_lines,
)
from benchmarks.results.columns import TABLE, cells, headings, milliseconds
from benchmarks.results.regression import Regression
from benchmarks.results.result import Case, Result
from edge_effnet.measure.validity import Remark
from edge_effnet.plurals import counted
from edge_effnet.ui.tables import table

_SPREAD = ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "min_ms", "mean_ms", "deviation_ms")
_FRESH = ("load_ms", "first_ms", "resident_bytes", "peak_bytes")
_ACCURACY = ("top1", "exact_match", "mae", "agreement")
_KIND_STYLE = {"regressed": "bold red", "unclear": "yellow", "faster": "green"}


def rows(result: Result) -> list[dict[str, Any]]:
    """One row of plain values for each case: the columns of CSV. From an emulated CPU there are
    answers and sizes, and None for what only a device can tell."""
    found = []
    for index, (case, on_front) in enumerate(zip(result.cases, front_of(result), strict=True)):
        figures, timed = result.accuracy_of(case) or {}, case if result.timed else None
        ratio = next((entry for entry in result.ratios if timed and entry.case == index), None)
        fresh = timed and timed.fresh
        spread = timed and timed.spread
        found.append(
            {
                "model": case.name,
                "threads": case.threads,
                "delegate": case.delegate,
                "size_bytes": case.size_bytes,
                **{name: figures.get(name) for name in _ACCURACY},
                "pareto": on_front,
                **{name: spread and getattr(spread, name) for name in _SPREAD},
                "samples": spread and spread.count,
                "ratio": ratio and ratio.value,
                "ratio_low": ratio and ratio.low,
                "ratio_high": ratio and ratio.high,
                **{name: fresh and getattr(fresh, name) for name in _FRESH},
                "preprocess_ms": median(timed.preprocess_ms)
                if timed and timed.preprocess_ms
                else None,
                "postprocess_ms": median(timed.postprocess_ms)
                if timed and timed.postprocess_ms
                else None,
                "delegated": case.delegation and case.delegation.share,
                "valid": result.verdict.valid and case.verdict.valid,
                "device": result.device,
            }
        )
    return found


def to_csv(results: Sequence[Result]) -> str:
    lines = [row for result in results for row in rows(result)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def to_markdown(result: Result) -> str:
    """The table, and under it the machine and what spoils the figures."""
    names, lines = _cells(result)
    bars = ["---"] + ["---:"] * (len(names) - 1)
    out = [text for line in cautions(result) for text in (line, "")]
    out += ["| " + " | ".join(line) + " |" for line in (names, bars, *lines)]
    out += ["", f"{machine_line(result)}; {result.made}."]
    out += [f"- {text}" for text in (*heat_lines(result), *skipped_lines(result))]
    out += [f"- **not valid**: {text}" for text in problem_lines(result)]
    return "\n".join(out) + "\n"


def print_result(out: Console, result: Result) -> None:
    """Print the table, ratios, notes and the verdict."""
    for text in cautions(result):
        out.print(Text(text, style="yellow"), soft_wrap=True)
    out.print(Text(machine_line(result), style="bold"))
    names, lines = _cells(result)
    shown = table(*names)
    for line in lines:
        shown.add_row(*map(Text, line))
    out.print(shown)
    if any(front_of(result)):
        out.print("* on the front: no other is both faster and as accurate", style="dim")
    for case in result.cases:
        out.print(Text(_detail(case, timed=result.timed), style="dim"))
    for text in heat_lines(result):
        out.print(Text(text))
    for text in skipped_lines(result):
        out.print(Text(f"warning: {text}", style="yellow"))
    for text in problem_lines(result):
        out.print(Text(f"not valid: {text}", style="yellow"))
    for text in note_lines(result):
        out.print(Text(f"note: {text}", style="dim"))
    if result.valid:
        out.print("valid: nothing seen that spoils the figures", style="green")


def print_regression(out: Console, outcome: Regression) -> None:
    shown = table("model", "old", "new", "ratio", "95 % interval", "")
    for row in outcome.rows:
        ratio = row.ratio
        shown.add_row(
            Text(row.title + (f", {row.changed}" if row.changed else "")),
            "–" if row.old_ms is None else milliseconds(row.old_ms),
            "–" if row.new_ms is None else milliseconds(row.new_ms),
            "–" if ratio is None else f"{ratio.value:.3f}",
            "–" if ratio is None else f"{ratio.low:.3f}–{ratio.high:.3f}",
            Text(row.kind, style=_KIND_STYLE.get(row.kind, "")),
        )
    out.print(shown)
    for line in (*outcome.device_differences, *outcome.warnings):
        out.print(Text(f"warning: {line}", style="yellow"))


def machine_line(result: Result) -> str:
    """The machine in one line."""
    where = result.environment
    name = where.device or where.cpu or where.machine
    if where.emulated:
        name = f"emulated CPU (it calls itself {name}): no device's speed"
    cores = counted(where.cores, "core")
    return f"{name}, {cores}, {where.bits}-bit, {where.runtime or 'no runtime'}"


def problem_lines(result: Result) -> list[str]:
    """What spoils the figures, each with its fix; cases with the same trouble in one line."""
    lines = [_remark(remark) for remark in result.verdict.problems]
    for case in result.cases:
        lines += [f"{case.title}: {_remark(remark)}" for remark in case.verdict.problems]
    return lines


def note_lines(result: Result) -> list[str]:
    """What a reader of the figures should know."""
    lines = [remark.what for remark in result.verdict.notes]
    for case in result.cases:
        lines += [f"{case.title}: {remark.what}" for remark in case.verdict.notes]
    lines += (result.accuracy or {}).get("notes", ())
    return lines


def heat_lines(result: Result) -> list[str]:
    """What minutes of work did to a device, where they were asked for: --sustained."""
    if not result.timed or len(result.timeline) < 2:
        return []
    minutes = result.timeline[-1]["seconds"] / 60
    lines = []
    for key, unit in (("temperature_c", "°C"), ("frequency_mhz", "MHz")):
        seen = [entry[key] for entry in result.timeline if entry.get(key) is not None]
        if seen:
            low, high = min(seen), max(seen)
            lines.append(
                f"over {minutes:.1f} minutes: {seen[0]:.0f} {unit} at first, {seen[-1]:.0f} {unit} "
                f"at last, between {low:.0f} and {high:.0f}"
            )
    for case in result.cases:
        tenth = max(1, len(case.samples_ms) // 10)
        first, last = median(case.samples_ms[:tenth]), median(case.samples_ms[-tenth:])
        lines.append(
            f"{case.title}: the first tenth took {first:.2f} ms, the last {last:.2f} ms "
            f"({100 * (last / first - 1):+.0f} %)"
        )
    return lines


def _remark(remark: Remark) -> str:
    return f"{remark.what}; to fix: {remark.fix}"


def _cells(result: Result) -> tuple[list[str], list[list[str]]]:
    lines = [
        [case.title + (" *" if row["pareto"] else ""), *cells(result, case, row, TABLE)]
        for case, row in zip(result.cases, rows(result), strict=True)
    ]
    return ["model", *headings(result, TABLE)], lines


def _detail(case: Case, *, timed: bool) -> str:
    parts = []
    if timed and case.fresh:
        parts.append(f"load {case.fresh.load_ms:.0f} ms, first {case.fresh.first_ms:.1f} ms")
    if timed and case.preprocess_ms:
        parts.append(f"preprocessing {median(case.preprocess_ms):.2f} ms")
    if timed and case.decode_ms:
        parts.append(f"decoding {median(case.decode_ms):.2f} ms")
    if not case.delegate:
        parts.append("without the XNNPACK delegate")
    elif case.delegation is None:
        parts.append("share of the XNNPACK delegate unknown")
    else:
        share, left = case.delegation, ", ".join(f"{n} {name}" for name, n in case.delegation.left)
        parts.append(
            f"XNNPACK delegate: {share.delegated} of {counted(share.operators, 'operator')}"
        )
        parts += [f"not {left}"] if left else []
    if timed and case.operator_ms:
        slow = ", ".join(f"{name} {ms:.2f} ms" for name, _, ms in case.operator_ms[:3])
        parts.append(f"slowest: {slow}")
    return f"{case.title}: {'; '.join(parts)}"
