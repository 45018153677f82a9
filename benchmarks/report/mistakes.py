"""The page's part about a model's worst mistakes, with the images."""

from __future__ import annotations

from typing import Any

from benchmarks.report.near_identical import once_each
from benchmarks.report.sources import Json
from benchmarks.report.suspects import image_of
from benchmarks.report.wording import alike_text, missing_text, more_text
from edge_effnet.heads.kinds import HEADS
from edge_effnet.plurals import counted

SHOWN = 24
"""Images; of those that are nearly the same and answered alike, one."""


def mistakes(document: Json) -> dict[str, Any] | None:
    """What the template shows; None where the document names none."""
    found = document.get("mistakes")
    if found is None:
        return None
    worst = once_each(
        found["worst"], lambda one: str(one["file"]), lambda one: (one["true"], one["answer"])
    )
    shown = [
        {
            **image_of(one["file"]),
            "true": one["true"],
            "answer": one["answer"],
            "score": _score(one["score"]),
            "true_score": _score(one["true_score"]),
            "unknown": bool(one.get("unknown")),
            "alike": alike_text(alike),
        }
        for one, alike in worst[:SHOWN]
    ]
    count = found["count"]
    told = sum(alike for _, alike in worst[:SHOWN])
    return {
        "title": "Largest errors" if count is None else "Worst mistakes",
        "hint": _hint(document, count),
        "shown": shown,
        "none": count == 0,
        "more": ""
        if count is None
        else more_text(count - told, "mistake").replace(" in the JSON", ""),
        "missing": missing_text(shown),
    }


def _hint(document: Json, count: int | None) -> str:
    head = HEADS.get((document.get("head") or {}).get("kind", ""))
    if count is None:
        return "The images whose value is furthest from the true one, the furthest first."
    of = f"{counted(count, 'mistake')} on {counted(document['n'], 'image')}"
    if head and head.task == "labels":
        return f"{of}; first those where the score of a label is furthest on the wrong side."
    return (
        f"{of}; first those where the model is surest of a wrong answer. Look at the labels too: "
        "a wrong label looks the same."
    )


def _score(score: float | None) -> str:
    return "" if score is None else f" · {score:.2f}"
