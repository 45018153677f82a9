"""What ``teach`` prints, and its document."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

from edge_effnet.metrics import Predictions, evaluation_json, summarize
from edge_effnet.ui.console import console, echo, megabytes
from edge_effnet.ui.reports.evaluation import print_summary
from edge_effnet.ui.reports.previous import compared
from edge_effnet.ui.shown_commands import example, own_command
from edge_effnet.ui.tables import say

if TYPE_CHECKING:
    from edge_effnet.artifact import Card
    from edge_effnet.metrics.two_models.previous import Against
    from edge_effnet.teaching.teach import Taught

FineTuning = Literal["likely", "unlikely", "unclear"]
_FEW = 10  # images of a class, below which its figure is hardly one
_SHOWN = 3
_GAIN_POINTS = 1.0  # of the last doubling, below which the next brings little
# Fine-tuning gained 7 and 14 points where a third of the photos was wrong and there were 480 and
# 1,600 of them, at most 1.1 where less than a tenth was (docs/guides/teach.md).
_FEW_WRONG_PERCENT, _FEW_TO_FINE_TUNE = 10.0, 400


def print_taught(taught: Taught, out: Path, against: Against | None = None) -> None:
    """The cross-validated figures, what more photos would bring, and what to do next."""
    if taught.predictions is None:
        echo("no class has two different photos: how right it is cannot be told")
    else:
        print_summary(
            summarize(taught.predictions, top=1),
            f"{taught.collection.source} (cross-validation: each photo is asked about by a layer "
            "that has learned from others)",
        )
    for line in notes(taught):
        say(console(), line)
    if against is not None:
        for line in compared(against, "photos"):
            say(console(), line)
    size = megabytes(out.stat().st_size)
    echo(f"written to {out}, {size}")
    photo = example(taught.collection.paths)
    echo(f"next: {own_command()} classify {quote(str(out))} {photo}")


def notes(taught: Taught) -> list[str]:
    """What the figures mean, in sentences."""
    lines = []
    if taught.not_evaluated:
        named = ", ".join(map(repr, taught.not_evaluated[:_SHOWN]))
        lines.append(
            f"fewer than two different photos of {named} (frames of one moment count as one): "
            "nothing is known about that"
        )
    counts = taught.collection.class_counts
    few = [
        name for name, count in counts.items() if count < _FEW and name not in taught.not_evaluated
    ]
    if few:
        lines.append(
            f"fewer than {_FEW} photos of {', '.join(map(repr, few[:_SHOWN]))}"
            f"{' …' if len(few) > _SHOWN else ''}: more, of other moments and places, help most"
        )
    if taught.predictions is not None and taught.half_right is not None:
        lines.append(_curve(_share_right(taught.predictions), taught.half_right))
    if taught.predictions is not None:
        lines.append(_SENTENCES[fine_tuning(taught)].format(gap=_gap(taught)))
    if taught.unknown is not None:
        lines.append(
            f'what is like none of the photos is answered "unknown": a similarity under '
            f"{taught.unknown.threshold:.3f}; so are {taught.unknown.lost_share:.0%} of photos "
            f"like these, by the {taught.unknown.images} asked about"
        )
    return lines


_SENTENCES: dict[FineTuning, str] = {
    "likely": "fine-tuning (edge-effnet train, on a computer) is likely to gain: {gap}",
    "unlikely": "fine-tuning (edge-effnet train, on a computer) is likely to gain little: {gap}",
    "unclear": "too few photos for fine-tuning (edge-effnet train, on a computer) to gain for "
    "sure, more of them come first: {gap}",
}


def fine_tuning(taught: Taught) -> FineTuning:
    """Whether training the whole network on these photos is likely to gain."""
    if taught.predictions is None:
        return "unclear"
    wrong_percent = 100 * (1 - _share_right(taught.predictions))
    if wrong_percent < _FEW_WRONG_PERCENT:
        return "unlikely"
    return "likely" if len(taught.collection) >= _FEW_TO_FINE_TUNE else "unclear"


def _gap(taught: Taught) -> str:
    """Between images that were learned and others."""
    right = 0.0 if taught.predictions is None else _share_right(taught.predictions)
    return (
        f"the last layer answers {100 * taught.learned_right:.1f} % of the photos that it has "
        f"learned right, {100 * right:.1f} % of others"
    )


def warnings(taught: Taught) -> list[str]:
    """What is wrong with the photos, in sentences."""
    lines = [
        f"one photo in two classes, {one} and {other}: take the wrong one away"
        for one, other in taught.collection.in_two_classes[:_SHOWN]
    ]
    if taught.one_scene:
        lines.append(
            f"most photos of {', '.join(map(repr, taught.one_scene[:_SHOWN]))} look the same, as "
            "frames of one clip do: how right it is elsewhere is not known"
        )
    return lines


def _curve(right: float, half_right: float) -> str:
    """What twice as many photos would bring: less than the last doubling did."""
    gained = 100 * (right - half_right)
    found = (
        f"with half of the photos {100 * half_right:.1f} % are right, with all {100 * right:.1f} %"
    )
    if gained < _GAIN_POINTS:
        return f"{found}: more photos of the same kind would bring little"
    return f"{found}: twice as many would likely bring some points, at most {gained:.1f}"


def _share_right(predictions: Predictions) -> float:
    return float((predictions.scores.argmax(axis=1) == predictions.truth).mean())


def taught_json(taught: Taught, card: Card, against: Against | None = None) -> dict[str, Any]:
    predictions = taught.predictions
    return {
        "model_sha256": card.model_sha256,
        "labels": list(card.labels),
        "images_per_class": taught.collection.class_counts,
        "cross_validation": evaluation_json(summarize(predictions, top=1)) if predictions else None,
        "half_of_the_images_right": taught.half_right,
        "learned_images_right": taught.learned_right,
        "fine_tuning": fine_tuning(taught),
        "not_evaluated": list(taught.not_evaluated),
        "unknown": taught.unknown.to_json() if taught.unknown else None,
        "skipped": [image.to_json() for image in taught.collection.skipped],
        "notes": notes(taught),
        "warnings": warnings(taught),
        "before": against.to_json("file") if against else None,
    }
