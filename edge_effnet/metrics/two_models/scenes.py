"""Intervals over frames of a camera or clip, of which neighbours look alike.

Frames come in scenes. A scene counts as one image at most, however many frames it has;
and because a scene of a feed often resembles the one before, the spread of a figure is taken
between groups of neighbouring scenes too. Both give the number of independent images that the
frames are worth, and with it the usual intervals and tests for images are computed.

Sources: the design effect as a factor on the number of images is Rao and Scott 1992, "A simple
method for the analysis of clustered binary data", Biometrics 48:577–585, its correction for few
groups Korn and Graubard 1998, Survey Methodology 24:193–201, scenes of unequal size Kish 1965,
"Survey Sampling", and groups of neighbours as nearly independent batches Schmeiser 1982, "Batch
size effects in the analysis of simulation output", Operations Research 30:556–568.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float64Array, bincount
from edge_effnet.metrics.intervals import (
    drop_at_most_points,
    drop_interval_points,
    mcnemar_p,
    normal_quantile,
    student_quantile,
    wilson_interval,
)
from edge_effnet.plurals import plural

FEWEST_SCENES = 20
"""Under so many the spread between scenes is itself a guess, and intervals miss the truth too
often (Cameron, Gelbach and Miller 2008, "Bootstrap-based improvements for inference with clustered
errors": from 5 to 30 groups on, by the method)."""
FEWEST_EVEN_SCENES = 10.0
"""Of scenes of equal size: a hundred frames among a million others are no second scene."""
FEWEST_GROUPS = 8
KEPT_ROWS = 256
KEPT_SIZES = 4096


@dataclass(frozen=True)
class SceneSums:
    """Sums of figures over each scene, scenes in the order in which they first appeared.

    Attributes:
        sizes: frames of each scene, above 0, (scenes,).
        sums: of each figure, (scenes, figures).
        count: of scenes; more than there are rows where neighbours were added up.
        squares: sum over single scenes of the square of their frames.
        in_time: whether scenes follow each other in time, so that neighbours may be alike; a
            folder's order (by class, say) is no time.
    """

    sizes: Float64Array
    sums: Float64Array
    count: int
    squares: float
    in_time: bool = True

    @property
    def frames(self) -> int:
        return int(self.sizes.sum())

    @property
    def even_scenes(self) -> float:
        """Scenes of equal size that weigh as much (Kish)."""
        return float(self.sizes.sum()) ** 2 / self.squares

    @property
    def enough(self) -> bool:
        """Whether an interval may be drawn."""
        return len(self.sizes) >= FEWEST_SCENES and self.even_scenes >= FEWEST_EVEN_SCENES

    @property
    def proof(self) -> str:
        """What the note means for a comparison, for people."""
        if self.enough:
            return f"frames of one scene count as one: {self.note}"
        return f"{self.note}; nothing is proven"

    def to_json(self) -> dict[str, Any]:
        return {"scenes": self.count, "enough": self.enough, "note": self.note}

    @property
    def note(self) -> str:
        """How many frames and scenes there are, and whether they are too few."""
        frames, scenes = plural(self.frames, "frame"), plural(self.count, "scene")
        text = f"{self.frames:,} {frames} in {self.count:,} {scenes}"
        if self.enough:
            return text
        most = f", {100 * float(self.sizes.max()) / self.frames:.0f} % of them in one"
        uneven = len(self.sizes) >= FEWEST_SCENES
        return f"{text}{most if uneven else ''}: too few for an interval"


class SceneCounter:
    """Adds frames up by scene in bounded memory: past ``kept`` rows, neighbours become one.

    Scenes are numbered from 0 as they first appear; the frames of the latest ``KEPT_SIZES`` are
    counted one by one, and one that comes back later counts as a new scene.
    """

    def __init__(self, figures: int, *, in_time: bool = True, kept: int = KEPT_ROWS) -> None:
        self._table = np.zeros((kept, 1 + figures))
        self._merged, self._count, self._squares = 0, 0, 0
        self._frames: dict[int, int] = {}
        self._in_time = in_time

    def add(self, scene: int, *figures: float) -> None:
        """Count a frame of ``scene``."""
        before = self._frames.get(scene, 0)
        self._count += not before
        self._squares += 2 * before + 1
        self._frames[scene] = before + 1
        if len(self._frames) > KEPT_SIZES:
            del self._frames[min(self._frames)]
        while scene >> self._merged >= len(self._table):
            pairs = self._table.reshape(len(self._table) // 2, 2, -1).sum(axis=1)
            self._table[: len(pairs)], self._table[len(pairs) :] = pairs, 0
            self._merged += 1
        self._table[scene >> self._merged] += (1, *figures)

    @property
    def sums(self) -> SceneSums:
        used = self._table[self._table[:, 0] > 0]
        return SceneSums(used[:, 0], used[:, 1:], self._count, self._squares, self._in_time)


def sum_scenes(
    scenes: NDArray[np.int64], *figures: NDArray[np.bool_], in_time: bool = True
) -> SceneSums:
    """Sums of arrays of one value for each frame; ``scenes`` gives each frame's number."""
    numbers, index = np.unique(scenes, return_inverse=True)
    sizes = bincount(index).astype(np.float64)
    sums = [bincount(index, figure, len(numbers)) for figure in figures]
    squares = float((sizes**2).sum())
    return SceneSums(sizes, np.stack(sums, axis=1), len(numbers), squares, in_time)


def share_interval_percent(sums: SceneSums, figure: int = 0) -> tuple[float, float] | None:
    """95 % interval of the share of frames for which a figure, 0 or 1, is 1; None with too few
    scenes. Wilson's, for the number of images that the frames are worth."""
    if not sums.enough:
        return None
    share = float(sums.sums[:, figure].sum() / sums.sizes.sum())
    images = _worth(sums, sums.sums[:, figure], share * (1 - share))
    low, high = wilson_interval(share * images, images)
    return 100 * low, 100 * high


@dataclass(frozen=True)
class DropBounds:
    """What scenes say about a drop; the fields are those of ``comparison.Paired``."""

    drop_interval_points: tuple[float, float]
    drop_at_most_points: float
    mcnemar_p: float


def drop_bounds(sums: SceneSums, lost: int = 0, gained: int = 1) -> DropBounds | None:
    """Bounds of the drop from figures of frames lost and gained; None with too few scenes.

    Tango's interval and McNemar's test, for the number of images that the frames are worth.
    """
    if not sums.enough:
        return None
    frames = float(sums.sizes.sum())
    gone, won = (float(sums.sums[:, figure].sum()) / frames for figure in (lost, gained))
    net = sums.sums[:, lost] - sums.sums[:, gained]
    images = _worth(sums, net, gone + won - (gone - won) ** 2)
    few = gone * images, min(won, 1 - gone) * images
    return DropBounds(
        drop_interval_points(*few, images),
        drop_at_most_points(*few, images),
        mcnemar_p(round(few[0]), round(few[1])),
    )


def _worth(scenes: SceneSums, figure: Float64Array, variance: float) -> float:
    """Independent images, at least 1, whose mean would vary as much as the frames' mean.

    Args:
        figure: its sum in each row of the scenes.
        variance: of the figure of one independent image.
    """
    frames = scenes.frames
    gaps = figure - figure.sum() / frames * scenes.sizes  # sums to 0
    worth = scenes.even_scenes
    # Single scenes, then two neighbours together, four, …: alike neighbours raise the spread.
    while len(gaps) >= FEWEST_GROUPS:
        groups = len(gaps)
        spread = groups / (groups - 1) * float((gaps**2).sum()) / frames**2
        if spread > 0:
            few = (normal_quantile(0.95) / student_quantile(groups - 1)) ** 2
            worth = min(worth, few * variance / spread)
        if not scenes.in_time:
            break
        gaps = np.append(gaps, np.zeros(groups % 2)).reshape(-1, 2).sum(axis=1)
    return max(1.0, worth)
