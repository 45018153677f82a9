"""Which pictures calibrate and which judge: never the same ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2

from converters.calibration import (
    FEW_IMAGES,
    Calibration,
    calibration_warnings,
    choose_calibration,
)
from converters.generated import generated_picture
from edge_effnet.data.folders import both_parts
from edge_effnet.data.listing import (
    Dataset,
    Sample,
    balanced_sample,
    content_hash,
    imbalance_warning,
    load_dataset,
    load_images,
)
from edge_effnet.errors import DataError
from edge_effnet.heads import Head
from edge_effnet.image import Preprocess

GENERATED_EVALUATION_IMAGES = 200
SIGNS = Path("signs")  # the word that stands for the embedded data set
SIGNS_EVALUATION_IMAGES = 640
# Another stream of pictures than calibration's.
_EVALUATION_SEED_OFFSET = 1_000_003


@dataclass(frozen=True)
class Pictures:
    """The pictures of one conversion.

    Attributes:
        evaluation: the judges; without labels when ``generated``.
        generated: whether the judges are generated, and so no evidence of accuracy.
        skipped: one line for each calibration picture that could not be read.
        spare: photos of the calibration folder that do not calibrate, in seeded order.
    """

    calibration: Calibration
    evaluation: Dataset
    generated: bool
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    spare: tuple[Sample, ...] = ()

    def left_out_json(self) -> list[dict[str, Any]]:
        calibrating = self.calibration.images
        left_out = (*self.evaluation.left_out, *(calibrating.left_out if calibrating else ()))
        return [one.to_json() for one in dict.fromkeys(left_out)]


def is_signs(data: Path | None) -> bool:
    """Whether an option means the embedded data set: the word, unless there is such a path."""
    return data == SIGNS and not SIGNS.exists()


def choose_pictures(
    how: Preprocess,
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
    head: Head | None = None,
) -> Pictures:
    """Divide what the user gave into calibration and evaluation.

    Args:
        data: labelled images. Without ``calibration`` at most half of them calibrate, and the
            rest judge, unless the folder holds ``train`` and ``val``. ``signs`` draws both, from
            splits that share no picture.
        labels: the network's, where somebody named its classes.
        count: how many calibrate.
        evaluation_count: at most so many judge; None for all.
        strict: an unreadable calibration picture is an error.
        scratch: folder for generated pictures.
        labelled: whether the calibration pictures need labels.
        head: what the network answers, and so what the images must say; by default a class.

    Raises:
        DataError: nothing usable, or unreadable pictures under ``strict``.
    """
    judged: Dataset | None
    pool: Dataset | None
    told: Any = {
        "labels": labels,
        "classes": head.classes if head else None,
        "task": head.task if head else "classes",
        "assume_order": True,
    }

    def listed(folder: Path) -> Dataset:
        if is_signs(folder):
            return _drawn(how, count, "train", seed, scratch, labels)
        if labelled:
            return load_dataset(folder, part="learn", **told)
        return load_images(folder)

    if data is not None and calibration is None and (parts := both_parts(data)):
        calibration = parts[0]
    if is_signs(data):
        judged = _drawn(
            how, evaluation_count or SIGNS_EVALUATION_IMAGES, "test", seed, scratch, labels
        )
        pool = listed(calibration or SIGNS)
    else:
        judged = load_dataset(data, **told) if data else None
        pool = listed(calibration) if calibration else judged
    if pool is judged and judged is not None:
        count = min(count, len(judged) // 2)
    chosen, skipped = choose_calibration(pool, how, count=count, seed=seed)
    if skipped and strict:
        raise DataError(
            f"{len(skipped)} calibration images cannot be read",
            found=skipped[0],
            fix="replace them, or leave --strict out to skip them",
        )
    if calibration is None and judged is not None and chosen.images is not None:
        used = {content_hash(sample.path) for sample in chosen.images.samples}
        rest = tuple(s for s in judged.samples if content_hash(s.path) not in used)
        judged = replace(judged, samples=rest)
    warnings = calibration_warnings(chosen, judged)
    if judged is not None:
        warnings += judged.notes
        warnings += [line for line in (imbalance_warning(judged),) if line]
        if evaluation_count is not None and evaluation_count < len(judged):
            judged = balanced_sample(judged, evaluation_count, seed)
        if len(judged) < FEW_IMAGES:
            warnings.append(
                f"only {len(judged)} images judge the result: a drop of a few points cannot be "
                "told from luck"
            )
    return Pictures(
        calibration=chosen,
        evaluation=judged or _generated(how, evaluation_count, seed, scratch),
        generated=judged is None,
        warnings=tuple(warnings),
        skipped=skipped,
        spare=_spare(pool, chosen, skipped, seed) if calibration else (),
    )


def _spare(
    pool: Dataset | None, chosen: Calibration, skipped: tuple[str, ...], seed: int
) -> tuple[Sample, ...]:
    if pool is None or chosen.images is None or skipped:
        return ()
    used = {content_hash(sample.path) for sample in chosen.images.samples}
    order = balanced_sample(pool, len(pool), seed).samples
    return tuple(Sample(s.path, None) for s in order if content_hash(s.path) not in used)


def _drawn(
    how: Preprocess,
    count: int,
    split: str,
    seed: int,
    scratch: Path,
    labels: tuple[str, ...] | None,
) -> Dataset:
    """Freshly drawn signs, so large that the preprocessing resizes nothing."""
    from edge_effnet.data.signs.folder import write_folder

    folder = scratch / f"signs-{split}"
    size = math.ceil(max(how.height, how.width) / how.crop)
    write_folder(folder, count, size=size, seed=seed, split=split)
    return replace(load_dataset(folder, labels=labels), source=f"signs ({split})")


def _generated(how: Preprocess, count: int | None, seed: int, scratch: Path) -> Dataset:
    count = min(count or GENERATED_EVALUATION_IMAGES, GENERATED_EVALUATION_IMAGES)
    samples = []
    height, width = (math.ceil(side / how.crop) for side in (how.height, how.width))
    for index in range(count):
        picture = generated_picture(index, seed + _EVALUATION_SEED_OFFSET, height, width)
        path = scratch / f"generated-{index:04}.png"
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        samples.append(Sample(path, None))
    return Dataset(tuple(samples), (), "generated pictures")
