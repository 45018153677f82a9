"""What models are evaluated on: open them, read the images, leave out those they learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_effnet.cluster.tasks import MapShares
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import balanced_sample, evaluation_warnings
from edge_effnet.data.division.trained_on import EvaluationSet, Steps, leave_out_trained
from edge_effnet.data.listing import load_dataset
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.heads.unknown import Unknown
from edge_effnet.image.preprocess_text import preprocess_text
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.metrics import Predictions
from edge_effnet.runtime.classifier import common_names, open_classifier
from edge_effnet.runtime.evaluating.pixels import settle_pixels
from edge_effnet.runtime.evaluating.predict import predict_many
from edge_effnet.stages import OnProgress, StartStage, no_progress


@dataclass(frozen=True)
class EvaluationPlan:
    """Models, and images that fit all of them.

    Attributes:
        given: all images, as they were read.
        evaluation_set: those that no model was trained on.
        dataset: those to run on: the evaluation set, or a sample of it.
        labels: names of the classes, None where nobody named any.
        head: as asked, for every model.
        preprocessing: what is done to an image for each model.
        notices: what the user should know about how the models run.
        steps: of all models, as their cards list them.
        rules: when each model answers "unknown"; None for one that always answers a class.
    """

    models: tuple[Path, ...]
    given: Dataset
    evaluation_set: EvaluationSet
    dataset: Dataset
    labels: tuple[str, ...] | None
    head: HeadChoice | None
    preprocessing: tuple[Preprocess, ...]
    notices: tuple[str, ...]
    steps: Steps
    rules: tuple[Unknown | None, ...]

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the images to run on."""
        return evaluation_warnings(self.dataset, self.given)

    def sample(self, count: int, seed: int) -> EvaluationPlan:
        """The same on so many images at most, evenly over the classes."""
        return replace(self, dataset=balanced_sample(self.dataset, count, seed))

    def predict(
        self,
        *,
        workers: int | None = None,
        strict: bool = False,
        progress: OnProgress | None = None,
        map_shares: MapShares | None = None,
    ) -> list[Predictions]:
        """Run the models; see ``predict_many``."""
        return predict_many(
            self.models,
            self.dataset,
            labels=self.labels,
            preprocess=self.preprocessing,
            head=self.head,
            workers=workers,
            strict=strict,
            progress=progress,
            map_shares=map_shares,
        )

    def to_json(self) -> dict[str, Any]:
        """How the images were read and fed, and what was left out."""
        fed = [preprocess_text(settings) for settings in self.preprocessing]
        return {**self.given.reading_json(), **self.evaluation_set.to_json(), "preprocess": fed}


def plan_evaluation(
    models: Sequence[Path],
    data: Path,
    *,
    labels: Sequence[str] | None = None,
    preprocess: Preprocess | str | None = None,
    head: HeadChoice | None = None,
    flat: bool = False,
    stage: StartStage = no_progress,
) -> EvaluationPlan:
    """Check models and images against each other before time is spent on them.

    Args:
        labels, preprocess, head: for every model, where the file does not say or says wrong.
        flat: whether a folder of images without classes will do.
        stage: started where images are compared with those of a training, and where photos are
            tried for how pixels become an input.

    Raises:
        ModelError: a model cannot be opened, two differ in their classes, or neither a file nor
            the images tell how pixels become its input.
        DataError: no data set, or one that does not fit the models.
    """
    opened = [
        open_classifier(path, labels=labels, preprocess=preprocess, head=head, ask=False)
        for path in models
    ]
    names, first = common_names(opened), opened[0]
    given = load_dataset(
        data,
        labels=names,
        classes=len(first.labels),
        task=first.head.task,
        flat=flat,
        labels_from=first.label_file.source,
    )
    steps = [step for one in opened if one.card for step in one.card.steps]
    of_models = {
        str(path): one.card.steps if one.card else ()
        for path, one in zip(models, opened, strict=True)
    }
    evaluation_set = leave_out_trained(given, steps, of_models, stage=stage)
    pixels = settle_pixels(opened, evaluation_set.dataset, stage=stage)
    return EvaluationPlan(
        tuple(models),
        given,
        evaluation_set,
        evaluation_set.dataset,
        given.labels or names,
        head,
        tuple(one.settings for one in pixels),
        (
            *(line for one in opened for line in one.other_notices),
            *(line for one in pixels for line in one.notices),
        ),
        steps,
        tuple(one.unknown for one in opened),
    )
