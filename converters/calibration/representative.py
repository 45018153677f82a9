"""Representative images: chosen fairly, hashed, and checked before they set any range."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from converters.calibration.dead_leaves import generated_image
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.split import balanced_sample
from edge_effnet.errors import DataError
from edge_effnet.files.read import content_hash
from edge_effnet.image.preprocessing import Preprocess, in_channels, normalize, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.plurals import counted

FEW_IMAGES = 100
GENERATED_IMAGES = 100


def network_input(path: Path, spec: Preprocess) -> NDArray[np.float32]:
    """An image file as real-valued network input, height x width x 3.

    Raises:
        DataError: it cannot be read.
    """
    return normalize(preprocess(read_image(path), spec), spec)


@dataclass(frozen=True)
class Calibration:
    """What sets the activation ranges.

    Attributes:
        images: the chosen images; empty when they are generated.
        generated: how many images are made instead.
    """

    images: Dataset | None
    generated: int
    preprocess: Preprocess
    seed: int

    @property
    def kind(self) -> Literal["images", "generated"]:
        return "images" if self.images is not None else "generated"

    @property
    def class_indices(self) -> tuple[int, ...] | None:
        """The class index of each image; None where one is unlabelled, or has several labels or
        a value instead."""
        samples = self.images.samples if self.images is not None else ()
        found = tuple(sample.label for sample in samples if sample.label is not None)
        return found if found and len(found) == len(samples) else None

    def __len__(self) -> int:
        return self.generated if self.images is None else len(self.images)

    def inputs(self) -> Iterator[NDArray[np.float32]]:
        """The real-valued network inputs, one image after the other, height x width x channels.

        Raises:
            DataError: an image cannot be read.
        """
        if self.images is not None:
            for sample in self.images.samples:
                yield network_input(sample.path, self.preprocess)
            return
        for index in range(self.generated):
            height, width, _ = self.preprocess.shape
            image = generated_image(index, self.seed, height, width)
            yield normalize(in_channels(image, self.preprocess.channels), self.preprocess)

    def sha256(self) -> str:
        """One hash of everything that decides the ranges."""
        digest = hashlib.sha256(repr((self.preprocess, self.generated, self.seed)).encode())
        for sample in self.images.samples if self.images is not None else ():
            digest.update(bytes.fromhex(content_hash(sample.path)))
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        """For the model card."""
        return {
            "kind": self.kind,
            "count": len(self),
            "source": Path(self.images.source).name if self.images is not None else "dead leaves",
            "seed": self.seed,
            "sha256": self.sha256(),
        }


def choose_calibration(
    images: Dataset | None, spec: Preprocess, *, count: int, seed: int
) -> tuple[Calibration, tuple[str, ...]]:
    """Pick the calibration images: class-balanced, seeded, readable ones only.

    Args:
        images: where to pick from; None generates images instead.
        spec: the preprocessing of the network.
        count: how many.

    Returns:
        The calibration and one line for every image that was skipped.

    Raises:
        DataError: none of the images can be read, or they cannot be pixels 0–255.
    """
    if images is None:
        return Calibration(None, min(count, GENERATED_IMAGES), spec, seed), ()
    readable: list[Sample] = []
    skipped: list[str] = []
    brightest, darkest, contrast = 0, 255, 0
    for sample in balanced_sample(images, len(images), seed).samples:
        if len(readable) == count:
            break
        try:
            pixels = preprocess(read_image(sample.path), spec)
        except DataError as error:
            skipped.append(str(error))
            continue
        low, high = int(pixels.min()), int(pixels.max())
        brightest, darkest = max(brightest, high), min(darkest, low)
        contrast = max(contrast, high - low)
        readable.append(sample)
    if not readable:
        raise DataError(
            f"{images.source} holds no readable image to calibrate with",
            found=f"{len(skipped)} unreadable, first: {skipped[0] if skipped else 'none'}",
            expected="photos like those the network will see",
            fix="replace them",
        )
    _refuse_wrong_range(images.source, darkest, brightest)
    if contrast < _SMALLEST_SPAN:
        raise DataError(
            f"the calibration images in {images.source} show nothing",
            found=f"{counted(len(readable), 'image')}, each of one colour",
            expected="photos like those the network will see",
            fix="replace them",
        )
    picked = replace(images, samples=tuple(readable))
    return Calibration(picked, 0, spec, seed), tuple(skipped)


# An image stored as 0–1 has at most a handful of levels left; ranges found on it would clip
# every real image.
_SMALLEST_SPAN = 8


def _refuse_wrong_range(source: str, darkest: int, brightest: int) -> None:
    if brightest - darkest < _SMALLEST_SPAN:
        raise DataError(
            f"the calibration images in {source} do not have the range of pixels",
            found=f"pixels from {darkest} to {brightest} over all of them",
            expected="pixels over most of 0 to 255",
            fix="give the original photos, not normalized or blank ones",
        )


def calibration_warnings(calibration: Calibration) -> list[str]:
    """What the user should know about the calibration images: too few, or of one class."""
    if calibration.images is None:
        return [
            f"no calibration images given: ranges come from {len(calibration)} generated "
            "images; give --calibration DIR with photos like yours for better accuracy"
        ]
    warnings = []
    if len(calibration) < FEW_IMAGES:
        warnings.append(
            f"too few calibration images ({len(calibration)}): ranges may miss what they do not "
            f"show; {FEW_IMAGES} to 300 are better"
        )
    counts = calibration.images.class_counts
    if len(counts) == 1:
        warnings.append(f"all calibration images are of one class, {next(iter(counts))!r}")
    return warnings
