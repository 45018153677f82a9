"""The halves of the evaluation images, and whether they can carry the user's limits."""

from __future__ import annotations

from converters.accuracy.checks import CLASS_MIN_IMAGES
from converters.accuracy.limits import Limits
from converters.calibration.images import ConversionImages
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import divide, images_per_class, one_answer
from edge_effnet.errors import DataError
from edge_effnet.plurals import counted


def split(evaluation: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Halves of each class: one to choose by, one to confirm with.

    Raises:
        DataError: fewer than four images, or no two different ones of a class.
    """
    if len(evaluation) < 4:
        raise DataError(
            f"{evaluation.source} is too small to choose by and to confirm with",
            found=f"{counted(len(evaluation), 'image')} that did not calibrate",
            expected="hundreds",
            fix="give more images with --data",
        )
    division = divide(evaluation, 0.5, seed)
    if not len(division.rest):
        raise DataError(
            f"{evaluation.source} has no images to choose by beside those that confirm",
            found=f"{counted(len(evaluation), 'image')}, no two different ones of one class",
            expected="hundreds",
            fix="give more images of each class with --data",
        )
    return division.rest, division.evaluation


def refuse_void_limits(limits: Limits | None, images: ConversionImages, seed: int) -> None:
    """Raise DataError where the images cannot carry the limits, before anything is made."""
    if limits is None or images.generated:
        return
    evaluation, facts = images.evaluation, images.evaluation_set
    if facts is not None and not facts.is_evidence:
        raise DataError(
            "a limit needs images that the network was not trained on",
            found=f"all {counted(facts.images, 'image')} of {evaluation.source}, or "
            "near-duplicates of them, were learned from",
            expected="images that it has not seen",
            fix="give such images with --data, or leave the limit out",
        )
    halves = (evaluation,) if one_answer(evaluation) else split(evaluation, seed)
    for part in halves:
        if same := one_answer(part):
            those = (
                "to evaluate on" if part is evaluation else "in one half of those to evaluate on"
            )
            raise DataError(
                "a limit needs images of more than one class, to choose by and to confirm with",
                found=f"{counted(len(part), 'image')} of {evaluation.source} {those}, all {same}",
                expected="images of every class that the network tells apart",
                fix="give more images of the other classes with --data",
            )
    if limits.max_class_drop_points is None:
        return
    counts = [images_per_class(half) for half in halves]
    fewest = {name: min(half.get(name, 0) for half in counts) for name in images.classes}
    few = sorted((n for n in fewest if fewest[n] < CLASS_MIN_IMAGES), key=lambda n: fewest[n])
    if few:
        raise DataError(
            "--max-class-drop needs evaluation images of every class, to choose by and to confirm "
            "with",
            found=f"{fewest[few[0]]} of {few[0]!r} in the smaller half"
            + (f", too few of {len(few)} classes" if len(few) > 1 else ""),
            expected=f"at least {CLASS_MIN_IMAGES} in each half",
            fix="give more images of it with --data, or use --max-drop",
        )
