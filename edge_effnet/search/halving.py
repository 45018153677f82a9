"""Successive halving: the worse half of the trials is stopped early (Jamieson and Talwalkar 2016,
arXiv:1502.07943)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """Trials that are trained as far as the same epoch.

    Attributes:
        epoch: after which the trials stop.
        points: how many get there, the baseline not counted.
    """

    epoch: int
    points: int


def stages(epochs: int, points: int, finalists: int) -> list[Stage]:
    """A quarter of the epochs for all, half of them for the better half, all for the finalists.

    The baseline takes part in every stage. Few epochs make fewer stages.
    """
    last = min(finalists, points)
    found: list[Stage] = []
    for epoch, count in (
        (epochs // 4, points),
        (epochs // 2, max(last, -(-points // 2))),
        (epochs, last),
    ):
        if epoch >= 1 and (not found or epoch > found[-1].epoch):
            found.append(Stage(epoch, points if not found else count))
    return found


def best(scores: Mapping[str, float], count: int) -> list[str]:
    """The names of the highest scores, the best first; of equal ones the first given."""
    return sorted(scores, key=lambda name: -scores[name])[:count]


def epochs_in_all(plan: list[Stage], seeds: int) -> int:
    """Epochs that a search trains, of all its trials together."""
    before, total = 0, 0
    for stage in plan:
        total += (stage.points + 1) * (stage.epoch - before)
        before = stage.epoch
    return total + (seeds - 1) * (plan[-1].points + 1) * plan[-1].epoch


def trials_in_all(plan: list[Stage], seeds: int) -> int:
    """Trainings that a search begins."""
    return plan[0].points + 1 + (seeds - 1) * (plan[-1].points + 1)
