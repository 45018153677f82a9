"""What ``teach`` prints, and its document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_effnet.metrics import Predictions, evaluation_json, summarize
from edge_effnet.ui.console import console, echo, megabytes
from edge_effnet.ui.evaluation_report import print_summary
from edge_effnet.ui.tables import say

if TYPE_CHECKING:
    from edge_effnet.artifact import Card
    from edge_effnet.teaching.teach import Taught

_FEW = 10
"""Different images of a class, below which its figure is hardly one."""


def print_taught(taught: Taught, out: Path) -> None:
    """The cross-validated figures, what more photos would bring, and what to do next."""
    if taught.predictions is None:
        echo("no class has two different photos: how right it is cannot be told")
    else:
        print_summary(
            summarize(taught.predictions, top=1),
            f"{taught.dataset.source}, by cross-validation: each photo by a layer that was "
            "taught others",
        )
    for line in notes(taught):
        say(console(), line)
    size = megabytes(out.stat().st_size)
    echo(f"written to {out} ({size} MB)")
    echo(f"next: edge-effnet classify {out} PHOTO")


def notes(taught: Taught) -> list[str]:
    """What the figures mean, in sentences."""
    lines = []
    if taught.unjudged:
        named = ", ".join(map(repr, taught.unjudged[:3]))
        lines.append(f"fewer than two different photos of {named}: nothing is known about that")
    counts = taught.dataset.class_counts
    few = [name for name, count in counts.items() if count < _FEW and name not in taught.unjudged]
    if few:
        lines.append(
            f"fewer than {_FEW} photos of {', '.join(map(repr, few[:3]))}"
            f"{' …' if len(few) > 3 else ''}: more, of other moments and places, help most"
        )
    if taught.predictions is not None and taught.half_right is not None:
        right = _share_right(taught.predictions)
        gain = 100 * (right - taught.half_right)
        lines.append(
            f"with half of the photos {100 * taught.half_right:.1f} % are right, with all "
            f"{100 * right:.1f} %: twice as many would bring "
            + ("about as much again or less" if gain >= 1 else "little")
        )
    if taught.unknown is not None:
        lines.append(
            f'what is like none of the photos is answered "unknown": similarity under '
            f"{taught.unknown.threshold:.3f}, where {taught.unknown.lost_share:.0%} of "
            f"{taught.unknown.images} photos like these are lost too"
        )
    return lines


def _share_right(predictions: Predictions) -> float:
    return float((predictions.scores.argmax(axis=1) == predictions.truth).mean())


def taught_json(taught: Taught, card: Card) -> dict[str, Any]:
    predictions = taught.predictions
    return {
        "model_sha256": card.model_sha256,
        "labels": list(card.labels),
        "images_per_class": taught.dataset.class_counts,
        "cross_validation": evaluation_json(summarize(predictions, top=1)) if predictions else None,
        "half_of_the_images_right": taught.half_right,
        "not_judged": list(taught.unjudged),
        "unknown": taught.unknown.to_json() if taught.unknown else None,
        "skipped": [image.to_json() for image in taught.features.skipped],
        "notes": notes(taught),
    }
