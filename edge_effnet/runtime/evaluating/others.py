"""Images of other things than a model was taught: how many it answers "unknown"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_effnet.cluster.tasks import MapShares
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.trained_on import EvaluationSet, leave_out_trained
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.metrics import Skipped, UnknownAnswers, unknown_answers
from edge_effnet.runtime.evaluating.plan import EvaluationPlan
from edge_effnet.stages import OnProgress


@dataclass(frozen=True)
class OtherThings:
    """What a model says of images of other things.

    Attributes:
        source: where they are from, for people.
    """

    answers: UnknownAnswers
    source: str
    skipped: tuple[Skipped, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "data": self.source,
            **self.answers.to_json(),
            "skipped": [image.to_json() for image in self.skipped],
        }


def load_others(source: Path, plan: EvaluationPlan) -> EvaluationSet:
    """List the images of a folder, whatever the folders in it are called, without those that the
    model learned from.

    Raises:
        UsageProblem: the model always answers a class.
        DataError: no images, or none that it did not learn from.
    """
    if plan.rules[0] is None:
        raise UsageProblem(
            f'{plan.models[0].name} never answers "unknown", which --others counts',
            fix="leave --others out, or teach the model: edge-effnet teach PHOTOS",
        )
    dataset = load_images(source, part=None)
    samples = tuple(Sample(sample.path, None) for sample in dataset.samples)
    found = leave_out_trained(Dataset(samples, (), dataset.source, dataset.left_out), plan.steps)
    if not found.is_evidence:
        raise DataError(
            f"{dataset.source} holds no images of other things",
            found=f"{found.images} that {plan.models[0].name} learned from (or near-duplicates)",
            expected="images of what it does not know",
            fix="give another folder to --others",
        )
    return found


def predict_others(
    plan: EvaluationPlan,
    dataset: Dataset,
    *,
    workers: int | None = None,
    strict: bool = False,
    progress: OnProgress | None = None,
    map_shares: MapShares | None = None,
) -> OtherThings:
    """Run the plan's model over what ``load_others`` listed.

    Raises:
        DataError: an unreadable image (``strict``), or no readable image at all.
        ValueError: the model always answers a class.
    """
    (predictions,) = replace(plan, dataset=dataset).predict(
        workers=workers, strict=strict, progress=progress, map_shares=map_shares
    )
    answers = unknown_answers(predictions)
    if answers is None:
        raise ValueError("a model without a rule for unknown images")
    return OtherThings(answers, dataset.source, predictions.skipped)
