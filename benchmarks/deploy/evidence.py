"""Whether a new model is proven worse than the old one, by what can be known without a photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.artifact import Artifact, Card
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.metrics.two_models.previous import Against, Counts
from edge_effnet.plurals import counted
from edge_effnet.stages import StartStage
from edge_effnet.teaching.backbone import TAUGHT, open_backbone
from edge_effnet.teaching.previous import compare_with_previous, read_previous, taught_card_of
from edge_effnet.ui.reports.previous import difference, of_known_classes

_QUANTIZED = "quantized"
_FIGURES = ("top1", "exact_match")  # of a card, in percent of the images


@dataclass(frozen=True)
class Evidence:
    """Both files on the same photos.

    Attributes:
        line: how many each answers right, and where that is from.
        is_worse: whether the new file is proven worse.
    """

    line: str
    is_worse: bool


def lacking(old: Artifact, new: Artifact) -> tuple[str, ...]:
    """Classes that the old file knows by name and the new one does not."""
    return tuple(name for name in old.labels or () if name not in (new.labels or ()))


def find_evidence(
    old: tuple[Path, Artifact], new: tuple[Path, Artifact], stage: StartStage
) -> Evidence | None:
    """What the files and what is kept here tell without a photo; None where that is nothing.

    Taught files with one backbone whose features are in the cache here: as ``teach`` compares
    them. Others: what both cards say of the same photos.
    """
    done = stage("comparing with the file there", None)
    found = _by_features(old[0], new[0])
    if found is None and old[1].card and new[1].card:
        found = _by_cards(old[1].card, new[1].card)
    done(1)
    return found


def evidence_of(against: Against, where: str) -> Evidence:
    """How many photos each file answers right, and the intervals of the difference.

    Args:
        where: the photos, and where that is from.
    """
    every = against.every
    line = (
        f"{where}: {every.before} of {counted(every.images, 'photo')} right by the file there, "
        f"{every.now} by the new one"
    )
    if every.paired is not None:
        line += f" ({difference(every.paired)}){of_known_classes(against)}"
    return Evidence(line, against.is_worse)


def without_classes(counts: Counts) -> Against:
    """Where the classes of the photos are not told, or several hold at a time."""
    return Against("the file there", (), (), counts, counts, {})


def _by_features(old: Path, new: Path) -> Evidence | None:
    """As ``teach`` compares what it made with the file before: layers of both are asked about
    photos that they have not learned from."""
    if taught_card_of(old) is None or taught_card_of(new) is None:
        return None
    try:
        backbone = open_backbone(new)
        now = read_previous(new, backbone)
        previous = read_previous(old, backbone)
    except EdgeEffnetError:  # of another backbone, or taught elsewhere
        return None
    seed = _last(backbone.card, TAUGHT).get("seed", 0)
    against = compare_with_previous(
        previous, now.collection, now.settings, seed if isinstance(seed, int) else 0
    )
    if not against.every.images:
        return None
    return evidence_of(against, "on the photos of the new file, as they are labelled there")


def _by_cards(old: Card, new: Card) -> Evidence | None:
    """What both cards say of the same photos: counts alone, so that a loss is proven only where
    it would be with any overlap of what the two answer right."""
    ours, theirs = _taught_counts(old), _taught_counts(new)
    where = "by cross-validation on the same photos, as their cards say"
    if ours is None or theirs is None or ours[:2] != theirs[:2]:
        ours, theirs = _measured_counts(old), _measured_counts(new)
        where = "on the same evaluation set, as their cards say"
    if ours is None or theirs is None or ours[:2] != theirs[:2]:
        return None
    return evidence_of(without_classes(least_counts(*ours[1:], theirs[2])), where)


def least_counts(images: int, before: int, now: int) -> Counts:
    """Counts whose overlap is not known: of all overlaps that are possible, the one that proves
    least, with as many discordant images as there can be."""
    gained = min(now, images - before)
    return Counts(images, before, now, gained + before - now, gained)


def _taught_counts(card: Card) -> tuple[Any, int, int] | None:
    """The photos that taught a file, how many were asked about, and how many were right."""
    step = _last(card, TAUGHT)
    validation = step.get("cross_validation")
    if not isinstance(validation, dict) or not isinstance(step.get("classes"), dict):
        return None
    return _checked(step["classes"], validation.get("images"), validation.get("right"))


def _measured_counts(card: Card) -> tuple[Any, int, int] | None:
    """The evaluation set of a converted file, its images, and how many were right."""
    measured = card.measured or {}
    role = "candidate" if _last(card, _QUANTIZED) else "reference"
    figures, images = measured.get(role), measured.get("n")
    if not isinstance(figures, dict) or "generated" in str(measured.get("data")):
        return None
    percent = next((figures[key] for key in _FIGURES if key in figures), None)
    if not isinstance(percent, int | float) or not isinstance(images, int):
        return None
    return _checked(str(measured.get("data_sha256")), images, round(percent * images / 100))


def _checked(photos: Any, images: Any, right: Any) -> tuple[Any, int, int] | None:
    fits = isinstance(images, int) and isinstance(right, int) and 0 <= right <= images > 0
    return (photos, images, right) if fits else None


def _last(card: Card | None, name: str) -> Mapping[str, Any]:
    steps = [step for step in (card.steps if card else ()) if step.get("step") == name]
    return steps[-1] if steps else {}
