"""What ``teach`` prints, and its document."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

from edge_effnet.metrics import Predictions, evaluation_json, summarize
from edge_effnet.plurals import plural
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


def notes(taught: Taught, tune: str = "edge-effnet train, on a computer") -> list[str]:
    """What the figures mean, in sentences.

    Args:
        tune: what trains the whole network.
    """
    lines = []
    if taught.not_evaluated:
        named = ", ".join(map(repr, taught.not_evaluated[:_SHOWN]))
        lines.append(
            f"fewer than two different photos of {named} (frames of one moment count as one): "
            f"how often {plural(len(taught.not_evaluated), 'it is', 'they are')} recognized is not "
            "known"
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
    if taught.predictions is not None:
        lines += _outlook(taught, _share_right(taught.predictions), tune)
    if taught.unknown is not None:
        lines.append(
            'a photo that is like none of these is answered "unknown" (its similarity to each '
            f"class is under {taught.unknown.threshold:.3f}); about "
            f"{taught.unknown.lost_share:.0%} of photos of your classes are answered so too"
        )
    return lines


def _outlook(taught: Taught, right: float, tune: str) -> list[str]:
    """What would make it better: more photos of the same kind, others, or fine-tuning."""
    half = taught.half_right
    gained = None if half is None else 100 * (right - half)
    lines = []
    if half is not None and gained is not None:
        found = (
            f"with half of the photos {100 * half:.1f} % are right, with all {100 * right:.1f} %"
        )
        more = (
            "more photos of the same kind would bring little"
            if gained < _GAIN_POINTS
            else f"twice as many would likely bring some points, at most {gained:.1f}"
        )
        lines.append(f"{found}: {more}")
    likely = fine_tuning(taught)
    if likely == "unlikely":
        lines.append(f"to train the whole network too ({tune}) is likely to gain little")
    elif likely == "likely":
        lines.append(f"to get better: train the whole network too ({tune}), which likely gains")
    else:
        kind = (
            "add photos unlike these (other days, light, backgrounds, distances), first of the "
            "classes that are mistaken for each other, and correct wrong labels"
            if gained is not None and gained < _GAIN_POINTS
            else "add photos, of other days, light and backgrounds"
        )
        lines.append(
            f"to get better: {kind}; to train the whole network too ({tune}) was seen to gain from "
            f"about {_FEW_TO_FINE_TUNE} photos on, these are {len(taught.collection)}"
        )
    return lines


def fine_tuning(taught: Taught) -> FineTuning:
    """Whether training the whole network on these photos is likely to gain."""
    if taught.predictions is None:
        return "unclear"
    wrong_percent = 100 * (1 - _share_right(taught.predictions))
    if wrong_percent < _FEW_WRONG_PERCENT:
        return "unlikely"
    return "likely" if len(taught.collection) >= _FEW_TO_FINE_TUNE else "unclear"


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
