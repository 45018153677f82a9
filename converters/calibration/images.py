"""Calibration images and evaluation images: never the same ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from converters.calibration.dead_leaves import generated_image
from converters.calibration.representative import (
    FEW_IMAGES,
    Calibration,
    calibration_warnings,
    choose_calibration,
)
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.split import (
    balanced_sample,
    divide,
    evaluation_warnings,
    images_per_class,
    without,
)
from edge_effnet.data.division.trained_on import EvaluationSet, Steps, leave_out_trained, trained_on
from edge_effnet.data.folders import both_parts
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.data.signs.option import SIGNS, is_signs
from edge_effnet.data.threads import ahead
from edge_effnet.errors import DataError
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.plurals import counted, plural
from edge_effnet.system.cores import available_cores

GENERATED_EVALUATION_IMAGES = 200
FEWEST_SPARE = 20
"""Photos left over by calibration that say more of agreement than generated images do."""
SIGNS_EVALUATION_IMAGES = 640
# Another stream of images than calibration's.
_EVALUATION_SEED_OFFSET = 1_000_003


@dataclass(frozen=True)
class ConversionImages:
    """The images of one conversion.

    Attributes:
        evaluation: the evaluation set; without labels where nobody gave one: then photos of the
            calibration folder that do not calibrate, or generated ones where those are too few.
        generated: whether the evaluation set is generated, and so no evidence of accuracy.
        skipped: one line for each calibration image that could not be read.
        spare: photos of the calibration folder that do not calibrate and that the network was
            not trained on, in seeded order; where nobody gave evaluation images.
        evaluation_set: what is known of it; None when ``generated`` or drawn.
        classes: of the evaluation images that were given, before some were left out.
    """

    calibration: Calibration
    evaluation: Dataset
    generated: bool
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    spare: tuple[Sample, ...] = ()
    evaluation_set: EvaluationSet | None = None
    classes: tuple[str, ...] = ()

    def left_out_json(self) -> list[dict[str, Any]]:
        calibrating = self.calibration.images
        left_out = (*self.evaluation.left_out, *(calibrating.left_out if calibrating else ()))
        return [one.to_json() for one in dict.fromkeys(left_out)]


def choose_images(
    preprocess: Preprocess,
    *,
    data: Path | None,
    calibration: Path | None,
    labels: tuple[str, ...] | None,
    count: int,
    evaluation_count: int | None,
    seed: int,
    strict: bool,
    scratch: Path,
    labelled: bool = False,
    calibrates: bool = True,
    head: Head | None = None,
    steps: Steps = (),
) -> ConversionImages:
    """Divide what the user gave into calibration and evaluation.

    Args:
        data: labelled images. Without ``calibration`` at most half of each class calibrate, and
            the rest evaluate, unless the folder holds ``train`` and ``val``. ``signs`` draws both,
            from splits that share no image.
        labels: the network's, where somebody named its classes.
        count: how many calibrate.
        evaluation_count: at most so many evaluate; None for all.
        strict: an unreadable calibration image is an error.
        scratch: folder for generated images.
        labelled: whether the calibration images need labels.
        calibrates: whether any range comes from them.
        head: what the network answers, and so what the images must say; by default a class.
        steps: of the network: images it was trained on calibrate, and do not evaluate where
            others can.

    Raises:
        DataError: nothing usable, or unreadable images under ``strict``.
    """
    given: Dataset | None
    evaluation: Dataset | None
    pool: Dataset | None
    load_labelled = partial(
        load_dataset,
        labels=labels,
        classes=head.classes if head else None,
        task=head.task if head else "classes",
    )
    evaluation_set: EvaluationSet | None = None
    warnings: list[str] = []

    def listed(folder: Path) -> Dataset:
        if is_signs(folder):
            return _drawn(preprocess, count, "train", seed, scratch, labels)
        if labelled:
            return load_labelled(folder, part="training")
        return load_images(folder)

    if data is not None and calibration is None and (parts := both_parts(data)):
        calibration = parts[0]
    if is_signs(data):
        given = evaluation = _drawn(
            preprocess, evaluation_count or SIGNS_EVALUATION_IMAGES, "test", seed, scratch, labels
        )
        pool = listed(calibration or Path(SIGNS))
    else:
        given = evaluation = load_labelled(data) if data else None
        pool = listed(calibration) if calibration else given
        if given is not None and pool is not None:
            evaluation_set = leave_out_trained(given, steps)
            evaluation = evaluation_set.dataset
            pool, notices = _may_calibrate(given, pool, evaluation_set, steps, seed)
            warnings += notices
        elif pool is not None:
            pool = _trained_first(pool, steps, count)
    chosen, skipped = choose_calibration(pool, preprocess, count=count, seed=seed)
    if skipped and strict:
        raise DataError(
            f"{counted(len(skipped), 'calibration image')} cannot be read",
            found=skipped[0],
            fix="replace them, or leave --strict out to skip them",
        )
    if evaluation is not None and chosen.images is not None and not is_signs(data):
        evaluation, notices = _apart(evaluation, chosen.images, announce=calibration is not None)
        warnings += notices
    warnings = [*(calibration_warnings(chosen) if calibrates else []), *warnings]
    if evaluation is not None and given is not None:
        if evaluation_count is not None and evaluation_count < len(evaluation):
            evaluation = balanced_sample(evaluation, evaluation_count, seed)
        warnings += [*given.notes, *evaluation_warnings(evaluation, given)]
        if len(evaluation) < FEW_IMAGES:
            warnings.append(
                f"only {counted(len(evaluation), 'evaluation image')}: a small loss cannot be "
                "told from luck"
            )
    spare = _spare(calibration, chosen, skipped, steps, seed) if evaluation is None else ()
    if len(spare) >= FEWEST_SPARE:
        most = evaluation_count or GENERATED_EVALUATION_IMAGES
        evaluation = Dataset(spare[:most], (), str(calibration))
    return ConversionImages(
        calibration=chosen,
        evaluation=evaluation or _generated(preprocess, evaluation_count, seed, scratch),
        generated=evaluation is None,
        warnings=tuple(warnings),
        skipped=skipped,
        spare=spare,
        evaluation_set=evaluation_set,
        classes=tuple(images_per_class(given)) if given is not None else (),
    )


def _apart(
    evaluation: Dataset, calibrating: Dataset, *, announce: bool
) -> tuple[Dataset, list[str]]:
    """The evaluation images that do not calibrate, and what to tell of the others.

    Args:
        announce: whether the user named the calibration images, and so may wonder.

    Raises:
        DataError: none is left.
    """
    left = without(evaluation, calibrating)
    if not len(left):
        raise DataError(
            f"no image of {evaluation.source} is left to evaluate on",
            found=f"all {len(evaluation)} to evaluate on stand in {calibrating.source} too, "
            "and calibrate",
            expected="images that do not calibrate",
            fix="give others to --data or to --calibration",
        )
    lost = len(evaluation) - len(left)
    line = (
        f"{lost} of {counted(len(evaluation), 'image')} of {evaluation.source} "
        f"{plural(lost, 'also calibrates', 'also calibrate')}, or nearly the same "
        f"{plural(lost, 'image does', 'images do')}: no evaluation "
        f"{plural(lost, 'image', 'images')}"
    )
    return left, [line] if announce and lost else []


def _may_calibrate(
    given: Dataset, pool: Dataset, evaluation_set: EvaluationSet, steps: Steps, seed: int
) -> tuple[Dataset, list[str]]:
    """The images that calibration may choose from, and what to tell of them.

    Where all evaluation images stand in the pool too, each class keeps half of them for evaluation.
    """
    if pool is not given and len(without(given, pool)):
        return pool, []
    barred = trained_on(given, steps) if evaluation_set.is_evidence else None
    division = divide(given, 0.5, seed, barred=barred)
    usable = division.rest if pool is given else without(pool, division.evaluation)
    if not len(usable):
        raise DataError(
            f"{given.source} has too few images to calibrate and to evaluate on",
            found=f"{counted(len(given), 'image')} of "
            f"{counted(len(given.class_counts), 'class', 'classes')}, no two different "
            "ones of one class",
            expected="dozens of each class: half of them calibrate",
            fix="add images, or give others with --calibration",
        )
    return usable, division.notices


def _trained_first(pool: Dataset, steps: Steps, count: int) -> Dataset:
    """Where the network was trained on enough of the images, those calibrate: the others can
    evaluate."""
    trained = trained_on(pool, steps)
    if trained is None or trained.sum() < count:
        return pool
    pairs = zip(pool.samples, trained, strict=True)
    return replace(pool, samples=tuple(sample for sample, known in pairs if known))


def _spare(
    source: Path | None, chosen: Calibration, skipped: tuple[str, ...], steps: Steps, seed: int
) -> tuple[Sample, ...]:
    if source is None or is_signs(source) or chosen.images is None or skipped:
        return ()
    unseen = leave_out_trained(load_images(source), steps)
    if not unseen.is_evidence:
        return ()
    left = without(unseen.dataset, chosen.images)
    return tuple(Sample(s.path, None) for s in balanced_sample(left, len(left), seed).samples)


def _drawn(
    preprocess: Preprocess,
    count: int,
    split: str,
    seed: int,
    scratch: Path,
    labels: tuple[str, ...] | None,
) -> Dataset:
    """Freshly drawn signs, so large that the preprocessing resizes nothing."""
    from edge_effnet.data.signs.folder import write_folder

    folder = scratch / f"signs-{split}"
    size = math.ceil(max(preprocess.height, preprocess.width) / preprocess.crop)
    write_folder(folder, count, size=size, seed=seed, split=split)
    return replace(load_dataset(folder, labels=labels), source=f"signs ({split})")


def _generated(preprocess: Preprocess, count: int | None, seed: int, scratch: Path) -> Dataset:
    count = min(count or GENERATED_EVALUATION_IMAGES, GENERATED_EVALUATION_IMAGES)
    height, width = (
        math.ceil(side / preprocess.crop) for side in (preprocess.height, preprocess.width)
    )

    def write(index: int) -> Sample:
        image = generated_image(index, seed + _EVALUATION_SEED_OFFSET, height, width)
        path = scratch / f"generated-{index:04}.png"
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _QUICKLY)
        return Sample(path, None)

    samples = tuple(ahead(write, range(count), available_cores()))
    return Dataset(samples, (), "generated images")


_QUICKLY = [cv2.IMWRITE_PNG_COMPRESSION, 1]
