"""The page's part about one model's evaluation: figures, thresholds, confusion matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.report.comparisons import FIGURES, bounds_text, matrices, remarks, trained_on
from benchmarks.report.mistakes import mistakes
from benchmarks.report.operating_points import found_points
from benchmarks.report.sources import Json
from benchmarks.report.suspects import suspects


def evaluation(document: Json) -> dict[str, Any]:
    """What the template shows of one model on labelled images."""
    name = model_name(document)
    return {
        "title": f"Evaluation: {name}",
        "caution": trained_on(document),
        "figures": evaluation_figures(document),
        "remarks": remarks(document),
        "points": found_points(document),
        "mistakes": mistakes(document),
        "suspects": suspects(document),
        "matrices": matrices(document["labels"], [(name, document)]),
    }


def model_name(document: Json) -> str:
    """Its file's name."""
    return Path(str(document.get("file", "the model"))).stem


def guess_of(document: Json) -> float | None:
    """Percent that always answering the commonest class would get; ``chance`` in documents of older
    versions."""
    guess = document.get("guess", document.get("chance"))
    return None if guess is None else float(guess)


def evaluation_figures(document: Json) -> list[tuple[str, str, str]]:
    """Those that mean something for the model's answers, the number of images first: name, value,
    interval."""
    figures = [("images", str(document["n"]), "")]
    for key, name, form in FIGURES:
        if document.get(key) is not None:
            bounds = bounds_text(document.get(f"{key}_interval"))
            figures.append((name, form.format(document[key]), bounds))
    if (guess := guess_of(document)) is not None:
        figures.append(("guessing would get", f"{guess:.1f} %", ""))
    return figures
