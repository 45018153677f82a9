"""A taught file against the one that it follows, on the same images.

Each image is asked about by two layers that have not learned from it: one that learned from the
images of the file before, one from the images of now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_effnet.artifact import Card, read_artifact
from edge_effnet.errors import DataError, ModelError, OutputError
from edge_effnet.heads.learning.cross_validation import TaughtImages, folds_of
from edge_effnet.heads.learning.softmax_regression import fit
from edge_effnet.metrics.two_models.previous import Against, compare_with_before
from edge_effnet.teaching.backbone import TAUGHT, Backbone, open_backbone
from edge_effnet.teaching.collection import Collection
from edge_effnet.teaching.layer_settings import LayerSettings, settings_from_json
from edge_effnet.teaching.remembered import remembered_collection


@dataclass(frozen=True, eq=False)
class Previous:
    """A file that was taught before: its images, by their features, and how they were learned."""

    path: Path
    collection: Collection
    settings: LayerSettings

    def renamed(self, pairs: Sequence[tuple[str, str]]) -> Previous:
        """The same with the names that its classes have now."""
        collection, settings = self.collection, self.settings
        for old, new in pairs:
            if old in collection.labels and new not in collection.labels:
                collection, settings = collection.renamed(old, new), settings.renamed(old, new)
        return Previous(self.path, collection, settings)


def taught_card_of(path: Path) -> Card | None:
    """The card of a file that ``teach`` wrote; None for anything else, and for no file."""
    if not path.is_file():
        return None
    try:
        card = read_artifact(path).card
    except (ModelError, DataError):
        return None
    taught = card is not None and any(step.get("step") == TAUGHT for step in card.steps)
    return card if taught else None


def read_previous(path: Path, backbone: Backbone) -> Previous:
    """A file that was taught before, with the features of its images from the cache.

    Raises:
        ModelError: it was taught another network, or was not taught.
        DataError: features of its images are not kept here.
    """
    own = open_backbone(path)
    if own.sha256 != backbone.sha256:
        raise ModelError(
            f"{path} was taught another network: the two cannot be compared",
            found=f"features of {own.sha256[:12]}",
            expected=f"those of {backbone.path}, {backbone.sha256[:12]}",
            fix="name another file with --out, or replace it with --force",
        )
    try:
        collection = remembered_collection(own.card, path, own)
    except DataError as error:
        raise DataError(
            f"{path} cannot be compared with what would replace it: {error.what}",
            found=error.found,
            fix="name another file with --out, or replace it with --force",
        ) from error
    steps = [step for step in (own.card.steps if own.card else ()) if step.get("step") == TAUGHT]
    return Previous(path, collection, settings_from_json(steps[-1]))


def compare_with_previous(
    previous: Previous, collection: Collection, settings: LayerSettings, seed: int
) -> Against:
    """Ask layers of before and of now about the images of now.

    Args:
        settings: of the layer of now.
        seed: of the division into folds.
    """
    before = previous.collection
    union = collection.joined(before)
    images = TaughtImages(union.features, union.classes, union.duplicates.group, len(union.labels))
    fold = folds_of(images.labels, images.group, seed)
    names = [union.labels[label] for label in images.labels]
    pairs = {(d, before.labels[c]) for d, c in zip(before.hashes, before.classes, strict=True)}
    of_before = np.array([pair in pairs for pair in zip(union.hashes, names, strict=True)])
    of_now = np.arange(len(union)) < len(collection)
    asked = of_now & (fold >= 0)
    was = _right(images, fold, of_before, previous.settings, union.labels)
    now = _right(images, fold, of_now, settings, union.labels)
    return compare_with_before(
        str(previous.path),
        [name for name, chosen in zip(names, asked, strict=True) if chosen],
        was[asked],
        now[asked],
        before=before.labels,
        after=collection.labels,
    )


def _right(
    images: TaughtImages,
    fold: NDArray[np.int64],
    learned: NDArray[np.bool_],
    settings: LayerSettings,
    names: Sequence[str],
) -> NDArray[np.bool_]:
    """Whether each image is answered right by a layer that learned from others of ``learned``."""
    right = np.zeros(len(fold), np.bool_)
    for number in np.unique(fold[fold >= 0]):
        out = fold == number
        chosen = learned & ~out
        classes, labels = np.unique(images.labels[chosen], return_inverse=True)
        if not len(classes):
            continue
        own = np.zeros(len(fold), np.int64)
        own[chosen] = labels
        layer = fit(
            images.problem,
            images.all_views(own),
            len(classes),
            settings.decay,
            images.all_views(chosen),
        ).lowered(settings.lowered_by([names[label] for label in classes]))
        right[out] = classes[layer.scores(images.asked[out]).argmax(axis=1)] == images.labels[out]
    return right


def refuse_worse(against: Against, removed: Sequence[str]) -> None:
    """Refuse to replace a file by one that knows less or is proven worse.

    Args:
        removed: classes that the user took away.

    Raises:
        OutputError: nothing was written.
    """
    lost = [name for name in against.forgotten if name not in removed]
    fix = "name another file with --out, or replace it all the same with --force"
    if lost:
        raise OutputError(
            f"{against.source} knows classes that the new file would not",
            found=", ".join(map(repr, lost[:3])) + (" …" if len(lost) > 3 else ""),
            expected=f"photos of them too, or --from {against.source}, which remembers them",
            fix=fix,
        )
    worse = against.worse
    if worse is not None and worse.paired is not None:
        paired = worse.paired
        low, high = paired.drop_interval_points
        of = "photos" if worse == against.every else "photos of the classes that both know"
        raise OutputError(
            f"{against.source} is better than what would replace it",
            found=f"{worse.before} of {worse.images} {of} right before and "
            f"{worse.now} now: {paired.drop_points:.1f} points fewer (95 % "
            f"interval {low:.1f} to {high:.1f})",
            expected="no proven loss",
            fix=fix,
        )
