"""Whether a candidate keeps an operating point: the same threshold on the same images.

Recall is about the images of the class, false alarms are about the others, and each of both is a
paired figure: only images that reach the threshold in one model alone count. Precision follows
from both and depends on how many images of the class there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any, Literal

import numpy as np

from edge_effnet.heads.thresholds import ClassThreshold, ThresholdCounts, counts_at
from edge_effnet.metrics.intervals import round_up
from edge_effnet.metrics.one_model.classification import Flags
from edge_effnet.metrics.one_model.operating_points import Target, counts_json, scores_of
from edge_effnet.metrics.predictions import Predictions
from edge_effnet.metrics.two_models.paired import PROVE_BELOW_POINTS, Paired, paired_test

# Of the two exact tests of all points together, by Bonferroni: many classes are no evidence.
SIGNIFICANCE = 0.05

Verdict = Literal["kept", "open", "lost"]


@dataclass(frozen=True)
class KeptPoint:
    """One threshold in both models.

    Attributes:
        recall: paired, of the images of the class; a drop is recall lost. None without any.
        false_alarms: paired, of the other images; a drop is false alarms gained.
        verdict: ``lost`` where a test shows a loss, ``kept`` where both are proven to be worse by
            at most ``PROVE_BELOW_POINTS``, else ``open``.
        conclusion: a sentence.
    """

    target: Target
    threshold: float
    reference: ThresholdCounts
    candidate: ThresholdCounts
    recall: Paired | None
    false_alarms: Paired | None
    verdict: Verdict
    conclusion: str

    def to_json(self) -> dict[str, Any]:
        target = self.target
        return {
            "class": target.index,
            "label": target.label,
            "target": {"measure": target.measure, "share": target.share},
            "threshold": self.threshold,
            "reference": counts_json(self.reference),
            "candidate": counts_json(self.candidate),
            "recall": self.recall and self.recall.to_json(),
            "false_alarms": self.false_alarms and self.false_alarms.to_json(),
            "verdict": self.verdict,
            "conclusion": self.conclusion,
        }


@dataclass(frozen=True)
class KeptPoints:
    """All operating points of a comparison.

    Attributes:
        origin: where the thresholds are from, in words.
        images: that they were compared on.
        without: a sentence for each target that has no threshold.
        notices: what the user should know about those images.
    """

    points: tuple[KeptPoint, ...]
    origin: str
    images: int
    without: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "origin": self.origin,
            "images": self.images,
            "without": list(self.without),
            "notices": list(self.notices),
            "points": [point.to_json() for point in self.points],
        }


def compare_points(
    reference: Predictions,
    candidate: Predictions,
    chosen: Sequence[tuple[Target, ClassThreshold]],
    evaluates: Flags,
) -> tuple[KeptPoint, ...]:
    """Compare both models at thresholds that were chosen on the reference.

    Args:
        evaluates: (images,), those to compare on.

    Raises:
        ValueError: the truth is not known, or the answer is a number.
    """
    points = []
    for target, threshold in chosen:
        ours, positive = scores_of(reference, target.index)
        theirs, _ = scores_of(candidate, target.index)
        ours, theirs, positive = ours[evaluates], theirs[evaluates], positive[evaluates]
        reached = [scores.astype(np.float64) >= threshold.threshold for scores in (ours, theirs)]
        recall = paired_test(*(flags[positive] for flags in reached)) if positive.any() else None
        alarms = (
            paired_test(*(~flags[~positive] for flags in reached)) if not positive.all() else None
        )
        verdict = _verdict(recall, alarms, tests=2 * len(chosen))
        counts = [counts_at(scores, positive, threshold.threshold) for scores in (ours, theirs)]
        highest = float(theirs.max()) if len(theirs) else 0.0
        points.append(
            KeptPoint(
                target,
                threshold.threshold,
                counts[0],
                counts[1],
                recall,
                alarms,
                verdict,
                _conclusion(verdict, candidate.name, target, recall, alarms)
                + _out_of_reach(candidate.name, highest, threshold.threshold),
            )
        )
    return tuple(points)


def _verdict(recall: Paired | None, alarms: Paired | None, *, tests: int) -> Verdict:
    both = [one for one in (recall, alarms) if one is not None]
    if any(one.drop_points > 0 and one.mcnemar_p * tests < SIGNIFICANCE for one in both):
        return "lost"
    kept = len(both) == 2 and all(one.drop_at_most_points <= PROVE_BELOW_POINTS for one in both)
    return "kept" if kept else "open"


def _conclusion(
    verdict: Verdict, name: str, target: Target, recall: Paired | None, alarms: Paired | None
) -> str:
    if recall is None:
        return f"not known whether {name} keeps it: no image of {target.label!r} to compare on"
    most = [
        f"{what} by up to {max(0.0, one.drop_at_most_points):.1f} points"
        for what, one in (("a recall lower", recall), ("a share of false alarms higher", alarms))
        if one is not None
    ]
    if verdict == "kept":
        return f"proven: {name} keeps it, but for {' and '.join(most)} (one-sided, 95 %)"
    if verdict == "lost":
        lost = [
            f"{what} {abs(one.drop_points):.1f} points (p = {one.mcnemar_p:.2g})"
            for what, one in (("recall falls by", recall), ("false alarms rise by", alarms))
            if one is not None and one.drop_points > 0
        ]
        return (
            f"proven: {name} does not keep it: {' and '.join(lost)}; a threshold of its own: "
            f"edge-effnet evaluate {name} --{target.measure} {quote(target.option)} --data IMAGES"
        )
    crossed = sum(one.lost + one.gained for one in (recall, alarms) if one is not None)
    line = (
        f"not proven that {name} keeps it, nor that it loses any"
        f"{'' if crossed else ' (no image changes sides)'}: {' and '.join(most)} cannot be excluded"
    )
    needed = recall.images_to_prove
    if needed and recall.drop_at_most_points > PROVE_BELOW_POINTS:
        line += (
            f"; if it is the same, about {round_up(needed):,} images of {target.label!r} would "
            f"exclude {PROVE_BELOW_POINTS:g} point of recall"
        )
    return line


def _out_of_reach(name: str, highest: float, threshold: float) -> str:
    """Scores of 8 bits end at 255/256, and a threshold may lie above."""
    return (
        f"; no score of {name} reaches the threshold, the highest is {highest:.6g}"
        if highest < threshold
        else ""
    )
