"""The figures of a case as text: one name and one format each, for the terminal, Markdown and the
page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.results.accuracy_columns import accuracy_cells, accuracy_headings
from benchmarks.results.result import Case, Result
from edge_effnet.ui.console import megabytes

ACCURACY = "accuracy"  # the columns that depend on what the models answer
TABLE = ("size_bytes", ACCURACY, "p50_ms", "p95_ms", "ratio", "peak_bytes")
PAGE = ("p50_ms", "p95_ms", ACCURACY, "size_bytes", "peak_bytes")

_Row = Mapping[str, Any]


def milliseconds(value: float) -> str:
    return f"{value:.2f} ms"


def _ratio(row: _Row) -> str:
    return f"{row['ratio']:.2f} ({row['ratio_low']:.2f}–{row['ratio_high']:.2f})"


def _as(key: str, text: Callable[[Any], str]) -> Callable[[_Row], str]:
    return lambda row: text(row[key])


# key of ``tables.rows`` -> name, and text of a row that has it
_FIGURES: dict[str, tuple[str, Callable[[_Row], str]]] = {
    "p50_ms": ("median", _as("p50_ms", milliseconds)),
    "p90_ms": ("slowest 10 %", _as("p90_ms", milliseconds)),
    "p95_ms": ("slowest 5 %", _as("p95_ms", milliseconds)),
    "p99_ms": ("slowest 1 %", _as("p99_ms", milliseconds)),
    "min_ms": ("fastest", _as("min_ms", milliseconds)),
    "mean_ms": ("mean", _as("mean_ms", milliseconds)),
    "deviation_ms": ("deviation", _as("deviation_ms", milliseconds)),
    "samples": ("samples", _as("samples", str)),
    "ratio": ("of first", _ratio),
    "size_bytes": ("size", _as("size_bytes", megabytes)),
    "resident_bytes": ("resident memory", _as("resident_bytes", megabytes)),
    "peak_bytes": ("peak memory", _as("peak_bytes", megabytes)),
    "load_ms": ("load", _as("load_ms", "{:.0f} ms".format)),
    "first_ms": ("first run", _as("first_ms", "{:.1f} ms".format)),
    "preprocess_ms": ("preprocessing", _as("preprocess_ms", milliseconds)),
    "delegated": ("XNNPACK delegate", _as("delegated", "{:.0%}".format)),
}


def headings(result: Result, keys: Sequence[str]) -> list[str]:
    """Names of the columns ``keys``; those of accuracy only where it was measured."""
    names = []
    for key in keys:
        if key != ACCURACY:
            names.append(_FIGURES[key][0])
        elif result.accuracy is not None:
            names += accuracy_headings(result)
    return names


def cells(result: Result, case: Case, row: _Row, keys: Sequence[str]) -> list[str]:
    """A case under ``headings``; a dash for what is not known."""
    texts = []
    for key in keys:
        if key != ACCURACY:
            texts.append("–" if row[key] is None else _FIGURES[key][1](row))
        elif result.accuracy is not None:
            texts += accuracy_cells(result.accuracy_of(case) or {})
    return texts


def all_figures(result: Result, case: Case, row: _Row) -> list[tuple[str, str]]:
    """Name and text of all that is known of a case."""
    keys = (ACCURACY, *_FIGURES)
    named = zip(headings(result, keys), cells(result, case, row, keys), strict=True)
    return [(name, text) for name, text in named if text != "–"]
