"""Augmentation: OpenCV and NumPy on uint8 RGB, one image at a time.

Every function takes its own random generator and nothing else that is random. Worker threads
run them beside the training step: OpenCV lets go of Python's lock.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from edge_effnet.data.pipeline import MixPlan
from edge_effnet.image.preprocessing import Pixels, Preprocess, preprocess
from edge_effnet.training.config import TrainConfig

Generator = np.random.Generator

_ASPECT = (3 / 4, 4 / 3)
_CROP_TRIES = 10
_GREY = (124, 116, 104)  # ImageNet's mean: zero after normalization
_RAND_OPS = 2
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def augment(
    pixels: Pixels, config: TrainConfig, side: int, random: Generator, strength: float = 1.0
) -> Pixels:
    """One training image, side x side x 3.

    ``none`` is THE preprocessing, ``light`` a random crop and slight changes of light and
    colour, ``randaugment`` a random crop and two random operations (arXiv:1909.13719). Half
    of the images are mirrored where ``config.flips`` says so.

    Args:
        strength: of colours and operations, as a share of the full one.
    """
    if config.chosen_augment == "none":
        image = preprocess(pixels, Preprocess(side, side))
    else:
        image = random_crop(pixels, side, config.min_crop, random)
    if config.flips and random.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
    if config.chosen_augment == "light":
        return _jitter(image, random, strength)
    if config.chosen_augment == "randaugment":
        operations = list(OPERATIONS.values())
        for choice in random.integers(len(operations), size=_RAND_OPS):
            amount = strength * float(random.uniform(0.1, 1.0))
            image = operations[choice](image, amount if random.random() < 0.5 else -amount)
    return image


def random_crop(pixels: Pixels, side: int, min_area: float, random: Generator) -> Pixels:
    """A rectangle of random area (``min_area`` to 1 of the image) and aspect (3:4 to 4:3),
    resized to side x side (arXiv:1409.4842)."""
    rows, columns = pixels.shape[:2]
    top, left, height, width = 0, 0, rows, columns
    for _ in range(_CROP_TRIES):
        area = rows * columns * random.uniform(min_area, 1.0)
        aspect = math.exp(random.uniform(math.log(_ASPECT[0]), math.log(_ASPECT[1])))
        width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < width <= columns and 0 < height <= rows:
            top = int(random.integers(rows - height + 1))
            left = int(random.integers(columns - width + 1))
            break
    else:  # a very long image: its central square
        height = width = min(rows, columns)
        top, left = (rows - height) // 2, (columns - width) // 2
    crop = pixels[top : top + height, left : left + width]
    shrinking = height > side or width > side
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return _pixels(cv2.resize(crop, (side, side), interpolation=method))


def plan_mix(
    count: int, side: int, config: TrainConfig, random: Generator, strength: float = 1.0
) -> MixPlan | None:
    """Mixup (arXiv:1710.09412) or cutmix (arXiv:1905.04899) of a batch with itself.

    Where both are on, each batch takes one of them by lot. What is drawn is drawn here, for the
    whole batch: workers that each have some of its rows mix them alike.

    Args:
        count: of the images in the batch.
        strength: by which both alphas are multiplied.

    Returns:
        None where both are off.
    """
    if strength <= 0 or (config.mixup <= 0 and config.cutmix <= 0):
        return None
    cut = config.cutmix > 0 and (config.mixup <= 0 or random.random() < 0.5)
    alpha = strength * (config.cutmix if cut else config.mixup)
    share = float(random.beta(alpha, alpha))
    partner = random.permutation(count)
    if not cut:
        return MixPlan(partner, share)
    hole = round(side * math.sqrt(1 - share))
    top, left = (int(place) for place in random.integers(side - hole + 1, size=2))
    return MixPlan(partner, 1 - (hole / side) ** 2, (top, left, hole))


def _jitter(pixels: Pixels, random: Generator, strength: float) -> Pixels:
    most = 0.25 * strength
    brightness, contrast, saturation = random.uniform(1 - most, 1 + most, 3)
    image = _saturate(pixels, float(saturation))
    middle = float(image.mean())
    # contrast around the mean, then brightness, in one pass
    return _scaled(image, float(contrast * brightness), float(middle * (1 - contrast) * brightness))


def _pixels(value: object) -> Pixels:
    return np.asarray(value, np.uint8)


def _scaled(pixels: Pixels, gain: float, offset: float) -> Pixels:
    """gain * pixel + offset, rounded and clipped."""
    table = np.clip(np.rint(np.arange(256) * gain + offset), 0, 255).astype(np.uint8)
    return _pixels(cv2.LUT(pixels, table))


def _saturate(pixels: Pixels, gain: float) -> Pixels:
    matrix = gain * np.eye(3, dtype=np.float32) + (1 - gain) * np.tile(_LUMA, (3, 1))
    return _pixels(cv2.transform(pixels, matrix))


def _warped(pixels: Pixels, matrix: list[list[float]]) -> Pixels:
    rows, columns = pixels.shape[:2]
    return _pixels(
        cv2.warpAffine(
            pixels,
            np.array(matrix, np.float32),
            (columns, rows),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_GREY,
        )
    )


def _rotate(pixels: Pixels, amount: float) -> Pixels:
    rows, columns = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), 30 * amount, 1.0)
    return _warped(pixels, np.asarray(matrix).tolist())


def _shear_x(pixels: Pixels, amount: float) -> Pixels:
    shear = 0.3 * amount
    return _warped(pixels, [[1, shear, -shear * pixels.shape[0] / 2], [0, 1, 0]])


def _shear_y(pixels: Pixels, amount: float) -> Pixels:
    shear = 0.3 * amount
    return _warped(pixels, [[1, 0, 0], [shear, 1, -shear * pixels.shape[1] / 2]])


def _contrast(pixels: Pixels, amount: float) -> Pixels:
    gain = 1 + 0.7 * amount
    return _scaled(pixels, gain, float(pixels.mean()) * (1 - gain))


def _sharpness(pixels: Pixels, amount: float) -> Pixels:
    gain = 1 + 0.9 * amount
    return _pixels(
        cv2.addWeighted(pixels, gain, cv2.GaussianBlur(pixels, (0, 0), 1.2), 1 - gain, 0)
    )


def _posterize(pixels: Pixels, amount: float) -> Pixels:
    return _pixels(pixels & np.uint8(0xFF << round(4 * abs(amount)) & 0xFF))


def _solarize(pixels: Pixels, amount: float) -> Pixels:
    values = np.arange(256)
    table = np.where(values < 256 * (1 - 0.7 * abs(amount)), values, 255 - values)
    return _pixels(cv2.LUT(pixels, table.astype(np.uint8)))


def _equalize(pixels: Pixels, _amount: float) -> Pixels:
    return _pixels(cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(pixels)]))


def _auto_contrast(pixels: Pixels, _amount: float) -> Pixels:
    low, high = (float(value) for value in np.percentile(pixels, (0.5, 99.5)))
    if high - low < 8:
        return pixels
    return _scaled(pixels, 255 / (high - low), -255 * low / (high - low))


Operation = Callable[[Pixels, float], Pixels]
"""Takes pixels and how much is done to them, -1 to 1; where the direction means nothing, its
size alone."""

# The order is part of what a seed means.
OPERATIONS: dict[str, Operation] = {
    "rotate": _rotate,
    "shear x": _shear_x,
    "shear y": _shear_y,
    "shift x": lambda p, amount: _warped(p, [[1, 0, 0.3 * amount * p.shape[1]], [0, 1, 0]]),
    "shift y": lambda p, amount: _warped(p, [[1, 0, 0], [0, 1, 0.3 * amount * p.shape[0]]]),
    "brightness": lambda p, amount: _scaled(p, 1 + 0.6 * amount, 0),
    "contrast": _contrast,
    "color": lambda p, amount: _saturate(p, 1 + 0.8 * amount),
    "sharpness": _sharpness,
    "posterize": _posterize,
    "solarize": _solarize,
    "equalize": _equalize,
    "auto contrast": _auto_contrast,
}
