"""Images that may hurt a data set: likely wrong labels, copies within it and of training images,
and the worst of each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.near_duplicates import group_duplicates, strata_of
from edge_effnet.data.division.prints import prints_of
from edge_effnet.data.division.trained_on import SeenInTraining, Steps, seen_in_training
from edge_effnet.errors import DataError, OutputError, UsageProblem
from edge_effnet.metrics import Predictions
from edge_effnet.metrics.one_model.label_errors import likely_classes, margins
from edge_effnet.stages import Advance

_WORST = 3  # of each class


@dataclass(frozen=True)
class LikelyWrong:
    """An image whose label is likely wrong.

    Attributes:
        label, likely: as it is labelled, and what it is likely of.
        probability, likely_probability: that the model gives either, 0–1.
    """

    path: Path
    label: str
    likely: str
    probability: float
    likely_probability: float

    def to_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "label": self.label,
            "likely": self.likely,
            "probability": self.probability,
            "likely_probability": self.likely_probability,
        }


@dataclass(frozen=True)
class Copies:
    """Images that are one image, or nearly.

    Attributes:
        labels: of each path.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...]

    @property
    def contradict(self) -> bool:
        """Whether they are labelled differently."""
        return len(set(self.labels)) > 1

    def to_json(self) -> dict[str, Any]:
        return {"files": list(map(str, self.paths)), "labels": list(self.labels)}


@dataclass(frozen=True)
class Suspects:
    """Attributes:
    images: that the model was asked about.
    given: all images, with those that it was trained on.
    wrong: likeliest first.
    copies: among all images given, those that contradict each other first.
    trained: those of all images that it was trained on; None where that is not recorded.
    worst: of each class the images that the model gives it least, and their probability.
    """

    images: int
    given: int
    wrong: tuple[LikelyWrong, ...]
    copies: tuple[Copies, ...]
    trained: SeenInTraining | None
    worst: tuple[tuple[str, tuple[tuple[Path, float], ...]], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "given": self.given,
            "likely_wrong": [one.to_json() for one in self.wrong],
            "copies": [one.to_json() for one in self.copies],
            "trained_on": self.trained.to_json() if self.trained else None,
            "worst": [
                {
                    "label": label,
                    "images": [{"file": str(path), "probability": p} for path, p in found],
                }
                for label, found in self.worst
            ],
        }


def find_suspects(
    predictions: Predictions, given: Dataset, steps: Steps, advance: Advance | None = None
) -> Suspects:
    """Look for them in what a model said of images that it did not learn from.

    Args:
        given: all images, where copies are looked for: a copy of what the model learned from is
            not among the predictions.
        steps: of the model, which say what it was trained on.
        advance: called with the number of images done.

    Raises:
        UsageProblem: it does not answer one class with probabilities, or no classes are known.
        DataError: an image is not there any more.
    """
    truth, scores = predictions.truth, predictions.scores
    sums = scores.sum(axis=1)
    if predictions.task != "classes" or truth is None or not np.allclose(sums, 1, atol=0.05):
        raise UsageProblem(
            "--suspects looks for wrong labels by the probabilities of classes",
            found=f"a {predictions.effective_head.kind} head"
            + ("" if truth is not None else ", and images without classes"),
            expected="a model that answers one class with a probability, on labelled images",
            fix="for a model that gives logits: --head logits",
        )
    names, paths = predictions.label_names, predictions.paths
    own = scores[np.arange(len(truth)), truth]
    likely, margin = likely_classes(scores, truth), margins(scores, truth)
    wrong = np.flatnonzero((likely >= 0) & (likely != truth))
    return Suspects(
        len(paths),
        len(given),
        tuple(
            LikelyWrong(
                paths[index],
                names[truth[index]],
                names[likely[index]],
                float(own[index]),
                float(scores[index, likely[index]]),
            )
            for index in wrong[np.argsort(margin[wrong], kind="stable")]
        ),
        _copies(given, advance),
        seen_in_training(given, steps),
        tuple(
            (names[label], _worst(np.flatnonzero(truth == label), own, paths))
            for label in np.unique(truth)
        ),
    )


def _copies(given: Dataset, advance: Advance | None) -> tuple[Copies, ...]:
    paths = [sample.path for sample in given.samples]
    names = [", ".join(given.labels[index] for index in sample.stratum) for sample in given.samples]
    strata = strata_of(given.samples)
    group = group_duplicates(prints_of(paths, advance), strata).group
    numbers, sizes = np.unique(group, return_counts=True)
    found = [
        Copies(
            tuple(paths[index] for index in members),
            tuple(names[index] for index in members),
        )
        for members in (np.flatnonzero(group == number) for number in numbers[sizes > 1])
    ]
    return tuple(sorted(found, key=lambda one: (not one.contradict, one.paths)))


def _worst(
    members: np.ndarray[Any, Any], own: np.ndarray[Any, Any], paths: tuple[Path, ...]
) -> tuple[tuple[Path, float], ...]:
    lowest = members[np.argsort(own[members], kind="stable")][:_WORST]
    return tuple((paths[index], float(own[index])) for index in lowest)


def move_aside(suspects: Suspects, folder: Path) -> list[Path]:
    """Move the images with likely wrong labels to folders of the same names in ``folder``.

    Nothing is deleted, and nothing replaced.

    Returns:
        Where they are now.

    Raises:
        OutputError: one cannot be moved, or something of that name is there; those before it are.
    """
    moved = list[Path]()
    for one in suspects.wrong:
        target = folder / one.path.parent.name / one.path.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                raise FileExistsError(17, "there is a file of that name")
            one.path.rename(target)
        except OSError as error:
            raise OutputError(
                f"{one.path} cannot be moved to {target}",
                found=error.strerror or str(error),
                expected=f"a folder on the same disk; {len(moved)} of {len(suspects.wrong)} are "
                "moved already",
                fix="name another folder with --move",
            ) from error
        moved.append(target)
    return moved


def refuse_moving(source: Path, folder: Path) -> None:
    """Refuse what cannot be moved, before anything is evaluated.

    Raises:
        DataError: the data set is no folder of class folders.
        UsageProblem: the folder lies in the data set, where it would be a class.
    """
    if not source.is_dir():
        raise DataError(
            f"images that {source} lists are not moved",
            found="a file that names them",
            expected="a folder with one folder for each class",
            fix="leave --move out, and correct the file",
        )
    if folder.resolve().is_relative_to(source.resolve()):
        raise UsageProblem(
            f"--move {folder} lies in the data set",
            found=str(source),
            expected="a folder beside it",
            fix=f"for example --move {source.name}-aside",
        )
