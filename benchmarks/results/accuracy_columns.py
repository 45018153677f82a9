"""What the tables show of accuracy, whatever kind of answer the models give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.accuracy import pareto_front
from benchmarks.results.result import Result
from edge_effnet.plurals import counted


def accuracy_headings(result: Result) -> list[str]:
    """Of the models' own figure, and of what is compared with the reference."""
    models = result.accuracy["models"] if result.accuracy else []
    # The reference alone differs from nothing.
    values = any("difference" in one for one in models)
    return [_headline(models[0])[0], "difference" if values else "agreement"]


def accuracy_cells(figures: Mapping[str, Any]) -> list[str]:
    """A model's figures under ``accuracy_headings``."""
    if (apart := figures.get("difference")) is not None:
        return [_headline(figures)[1], f"{apart:.4g}"]
    return [_headline(figures)[1], _percent(figures.get("agreement"))]


def _headline(figures: Mapping[str, Any]) -> tuple[str, str]:
    """Name and text of a model's figure; top-1 in results of version 0.1, which knew no other."""
    told = figures.get("headline")
    return (told["name"], told["text"]) if told else ("top-1", _percent(figures.get("top1")))


def cautions(result: Result) -> list[str]:
    """What to know first of the evaluation images, and of what the answers warn."""
    accuracy = result.accuracy or {}
    line = accuracy.get("trained_on", {}).get("line")
    warnings = [f"warning: {warning}" for warning in accuracy.get("warnings", ())]
    return [*([line] if line else []), *warnings]


def skipped_lines(result: Result) -> list[str]:
    """The images that could not be read."""
    skipped = (result.accuracy or {}).get("skipped")
    if not skipped:
        return []
    return [
        f"{counted(len(skipped), 'unreadable image')} left out, the first: {skipped[0]['reason']}"
    ]


def front_of(result: Result) -> list[bool | None]:
    """For each case whether it is on the front of accuracy against time; None where accuracy
    is not known."""
    if not result.timed:
        return [None] * len(result.cases)
    worth = [_worth(result.accuracy_of(case) or {}) for case in result.cases]
    known = [index for index, value in enumerate(worth) if value is not None]
    marks = pareto_front([(result.cases[p].spread.p50_ms, worth[p] or 0.0) for p in known])
    found: list[bool | None] = [None] * len(worth)
    for index, mark in zip(known, marks, strict=True):
        found[index] = mark
    return found


def _worth(figures: Mapping[str, Any]) -> float | None:
    """What more of is better, of whatever kind the models' answers are."""
    if figures.get("mae") is not None:
        return -float(figures["mae"])
    return right_percent(figures)


def right_percent(figures: Mapping[str, Any]) -> float | None:
    """Images answered right, in percent: top-1, or an exact match of all labels."""
    keys = ("top1", "exact_match")
    right = next((figures[key] for key in keys if figures.get(key) is not None), None)
    return None if right is None else float(right)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} %"
