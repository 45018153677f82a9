"""Shares of a feed's frames, with what they prove: frames that look alike count once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from edge_effnet.metrics.two_models.scenes import SceneCounter, share_interval_percent
from edge_effnet.plurals import counted


@dataclass(frozen=True)
class FrameShare:
    """Frames for which something holds, in percent.

    Attributes:
        interval_percent: 95 %, over scenes; None where they are too few.
        note: frames and scenes in words.
    """

    frames: int
    scenes: int
    percent: float
    interval_percent: tuple[float, float] | None
    note: str

    @property
    def brief(self) -> str:
        """For the status line: ``97.0 % (91.2-99.1)``, or how few scenes there are."""
        if self.interval_percent is None:
            return f"{self.percent:.1f} % (only {counted(self.scenes, 'scene')})"
        low, high = self.interval_percent
        return f"{self.percent:.1f} % ({low:.1f}-{high:.1f})"

    @property
    def evidence(self) -> str:
        """``95 % interval 91.2 to 99.1: 900 frames in 30 scenes``, or that they are too few."""
        if self.interval_percent is None:
            return self.note
        low, high = self.interval_percent
        return f"95 % interval {low:.1f} to {high:.1f}: {self.note}"


class Tally:
    """Counts frames by scene, and those for which something holds.

    Args:
        in_time: whether scenes follow each other in time, see ``SceneSums``.
    """

    def __init__(self, *, in_time: bool = True) -> None:
        self.frames = self.hits = 0
        self._scenes = SceneCounter(1, in_time=in_time)

    def add(self, scene: int, hit: bool) -> None:
        self.frames += 1
        self.hits += hit
        self._scenes.add(scene, hit)

    @property
    def share(self) -> FrameShare | None:
        """None before the first frame."""
        if not self.frames:
            return None
        sums = self._scenes.sums
        percent = 100 * self.hits / self.frames
        return FrameShare(self.frames, sums.count, percent, share_interval_percent(sums), sums.note)


class AbsoluteError:
    """Adds up absolute differences between numbers."""

    def __init__(self) -> None:
        self.frames, self.max_abs, self._sum = 0, 0.0, 0.0

    def add(self, given: ArrayLike, true: ArrayLike) -> None:
        """One frame's scores or values, any shape, against what they should be."""
        gaps = np.abs(np.asarray(given, np.float64) - np.asarray(true, np.float64))
        self.frames += 1
        self.max_abs = max(self.max_abs, float(gaps.max()))
        self._sum += float(gaps.mean())

    @property
    def mean_abs(self) -> float | None:
        """None before the first frame."""
        return self._sum / self.frames if self.frames else None

    def to_json(self) -> dict[str, float | None]:
        return {"mean_abs": self.mean_abs, "max_abs": self.max_abs if self.frames else None}


def share_json(name: str, share: FrameShare | None) -> dict[str, Any]:
    """A share in percent under ``name``, its interval, and the scenes that this rests on."""
    interval = share.interval_percent if share else None
    return {
        name: share.percent if share else None,
        f"{name}_interval": list(interval) if interval else None,
        f"{name}_scenes": share.scenes if share else 0,
    }
