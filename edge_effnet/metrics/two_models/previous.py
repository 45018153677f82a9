"""A network against the one that it follows, on the same images, which neither learned from.

The one of now may know more classes: of images of these, the one before answers none right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.metrics.two_models.paired import Paired, paired_of


@dataclass(frozen=True)
class Counts:
    """How many of some images are answered right.

    Attributes:
        lost, gained: images that only the one before, only the one of now answers right.
    """

    images: int
    before: int
    now: int
    lost: int
    gained: int

    @staticmethod
    def of(was: NDArray[np.bool_], now: NDArray[np.bool_]) -> Counts:
        """From whether each image is answered right, (images,)."""
        lost, gained = int((was & ~now).sum()), int((now & ~was).sum())
        return Counts(len(was), int(was.sum()), int(now.sum()), lost, gained)

    @property
    def paired(self) -> Paired | None:
        """The paired test; None without images."""
        return paired_of(self.lost, self.gained, self.images) if self.images else None

    def to_json(self) -> dict[str, Any]:
        """For a document."""
        return {"images": self.images, "before": self.before, "now": self.now}


@dataclass(frozen=True)
class Against:
    """The network before and the one of now.

    Attributes:
        source: of the one before, for people: its file or the folder of its run.
        forgotten: classes that only the one before knows.
        new: classes that only the one of now knows.
        every: of all images.
        known: of images of classes that both know.
        by_class: of each such class that has images.
        epoch_chosen_on_these_images: whether the one of now is the best of several on these very
            images: of equal networks the best seems better, so that no gain is proven by them.
    """

    source: str
    forgotten: tuple[str, ...]
    new: tuple[str, ...]
    every: Counts
    known: Counts
    by_class: Mapping[str, Counts]
    epoch_chosen_on_these_images: bool = False

    @property
    def worse(self) -> Counts | None:
        """The images on which a loss is proven, its 95 % interval above 0: those of the classes
        that both know, so that new ones do not hide it, or else all; None where none is."""
        for counts in (self.known, self.every):
            if counts.paired is not None and counts.paired.proves_drop:
                return counts
        return None

    @property
    def is_worse(self) -> bool:
        """Whether a loss is proven."""
        return self.worse is not None

    @property
    def proves_gain(self) -> bool:
        """Whether a gain on the classes that both know is proven: the interval of the drop lies
        below 0, and these images did not choose the network of now."""
        paired = self.known.paired
        seems = paired is not None and paired.drop_interval_points[1] < 0
        return seems and not self.epoch_chosen_on_these_images

    @property
    def lost_classes(self) -> dict[str, Counts]:
        """The classes of which fewer images are right now, the largest loss first."""
        lost = [(name, one) for name, one in self.by_class.items() if one.now < one.before]
        return dict(sorted(lost, key=lambda pair: (pair[1].now - pair[1].before) / pair[1].images))

    def to_json(self, kind: str) -> dict[str, Any]:
        """For a document.

        Args:
            kind: what ``source`` is, as a key: ``file`` or ``run``.
        """
        known, every = self.known.paired, self.every.paired
        return {
            kind: self.source,
            "classes_forgotten": list(self.forgotten),
            "classes_new": list(self.new),
            "classes_lost": list(self.lost_classes),
            "images": self.every.to_json(),
            "images_of_known_classes": self.known.to_json() | (known.to_json() if known else {}),
            "epoch_chosen_on_these_images": self.epoch_chosen_on_these_images,
            "by_class": {name: one.to_json() for name, one in self.by_class.items()},
            **(every.to_json() if every else {}),
        }


def compare_with_before(
    source: str,
    truth: Sequence[str],
    was: NDArray[np.bool_],
    now: NDArray[np.bool_],
    *,
    before: Sequence[str],
    after: Sequence[str],
    epoch_chosen_on_these_images: bool = False,
) -> Against:
    """Hold what two networks answer against each other.

    Args:
        truth: the class of each image, one that the network of now knows.
        was, now: whether each image is answered right, (images,).
        before, after: the classes that each knows.
        epoch_chosen_on_these_images: see ``Against``.
    """
    names = np.array(truth, dtype=object)

    def counts(which: NDArray[np.bool_]) -> Counts:
        return Counts.of(was[which], now[which])

    both = [name for name in after if name in set(before)]
    by_class = {name: counts(np.asarray(names == name, np.bool_)) for name in both}
    return Against(
        source,
        tuple(name for name in before if name not in set(after)),
        tuple(name for name in after if name not in set(before)),
        Counts.of(was, now),
        counts(np.isin(names, both)),
        {name: one for name, one in by_class.items() if one.images},
        epoch_chosen_on_these_images,
    )
