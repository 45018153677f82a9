"""What was measured of a strategy, and how it is kept for ``--resume``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from converters.accuracy.checks import Check, check_json, overall
from converters.accuracy.limits import Limits
from converters.accuracy.strategies import STRATEGIES_VERSION, Strategy
from converters.quantization.candidates import Context
from edge_effnet.artifact import Card
from edge_effnet.data.dataset import Dataset
from edge_effnet.documents import Malformed, structure
from edge_effnet.files.read import content_hash
from edge_effnet.runs import fingerprint

# Timing of two files in turn wavers by a few percent even on a quiet machine.
SLOWER_THAN_FLOAT = 1.05

_WRITTEN_APART = {"strategy", "checks", "confirmed"}


@dataclass(frozen=True)
class TrialFigures:
    """What was measured of a strategy on the selection images.

    Attributes:
        checks: the limits on the selection images.
        confirmed: on the confirmation images; empty where the first refute it already.
        top1_percent, drop_points, drop_interval_points: None without labels.
        score_l1: mean over images of the summed score differences, 0–2.
        latency_ratio: median of one inference on one core, over float's.
        seconds: making it; ``resumed`` ones took them in an earlier run.
    """

    size_bytes: int
    agreement_percent: float
    score_l1: float
    top1_percent: float | None
    drop_points: float | None
    drop_interval_points: tuple[float, float] | None
    latency_ratio: float
    seconds: float
    checks: tuple[Check, ...]
    confirmed: tuple[Check, ...] = ()
    resumed: bool = False


@dataclass(frozen=True)
class Trial(TrialFigures):
    """One strategy and its figures."""

    strategy: Strategy = field(kw_only=True)

    @property
    def fits(self) -> bool:
        """Whether every limit is kept on both halves, so far as they show."""
        return bool(self.confirmed) and all(c.fits for c in (*self.checks, *self.confirmed))

    @property
    def refuted(self) -> bool:
        """Whether one of the halves proves that a limit is not kept."""
        return "exceeded" in (overall(self.checks), overall(self.confirmed))

    @property
    def worst(self) -> Check:
        """The limit that is missed by most, or kept by least."""
        return max((*self.checks, *self.confirmed), key=Check.excess)

    def distance(self) -> tuple[float, float]:
        """How far it is from its limits: the worst excess, then the disagreement."""
        return max(self.worst.excess(), 0.0), -self.agreement_percent

    @property
    def slower(self) -> bool:
        return self.latency_ratio > SLOWER_THAN_FLOAT

    def to_json(self) -> dict[str, Any]:
        return {
            **{
                key: value
                for key, value in vars(self).items()
                if key not in {"strategy", "checks", "confirmed"}
            },
            "rung": self.strategy.to_json(),
            "checks": [check_json(found) for found in self.checks],
            "confirmed": [check_json(found) for found in self.confirmed],
        }


def trial_key(
    strategy: Strategy,
    context: Context,
    halves: tuple[Dataset, Dataset],
    limits: Limits,
    reference: Card,
) -> str:
    """Fingerprint of all that a trial depends on.

    Args:
        halves: the selection and the confirmation images.
        reference: card of the float artifact: its model, and how its scores become answers.
    """
    calibration = context.calibration
    return fingerprint(
        STRATEGIES_VERSION,
        strategy.to_json(),
        context.model,
        context.interface,
        context.teachable,
        calibration.sha256(),
        _truths(calibration.images),
        limits,
        (reference.model_sha256, reference.preprocess, reference.head, reference.labels),
        [[content_hash(sample.path) for sample in half.samples] for half in halves],
        [_truths(half) for half in halves],
    )


def _truths(images: Dataset | None) -> object:
    """What is said of each image: its class, labels or value, and what their numbers mean."""
    if images is None:
        return None
    truths = [(sample.label, sample.labels, sample.value) for sample in images.samples]
    return images.labels, truths


def stored_trial(strategy: Strategy, stored: Any) -> Trial | None:
    """What ``Trial.to_json`` made; None where it is something else."""
    try:
        figures = structure(stored, TrialFigures)
    except Malformed:
        return None
    return Trial(**{**vars(figures), "resumed": True}, strategy=strategy)
