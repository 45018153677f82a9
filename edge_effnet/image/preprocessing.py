"""THE preprocessing: from an image or camera frame to the pixels a network sees.

Training's evaluation, calibration, benchmark and camera all call ``preprocess``; nothing else
in the project resizes an image for a network. OpenCV and NumPy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import UsageProblem

Pixels = NDArray[np.uint8]
Fit = Literal["crop", "squash", "pad"]
Channels = Literal["rgb", "bgr", "grey"]
Resize = Literal["area", "linear"]


@dataclass(frozen=True)
class Preprocess:
    """How an image becomes the input of one network.

    Attributes:
        height, width: of the network's input, in pixels.
        crop: of ``fit="crop"``: side of the central rectangle that is kept, as a share of the
            largest one that fits; 1.0 keeps it whole.
        mean, std: what the host subtracts and divides by before the tensor, for all channels or
            for each in the network's order; 0 and 1 (the default) hand over pixels 0–255,
            because our networks normalize inside the graph.
        fit: ``crop`` keeps the central rectangle of the input's aspect ratio, ``squash``
            resizes the whole image to the input's size, ``pad`` keeps the whole image and its
            aspect ratio between black borders.
        channels: their order, or one channel of brightness.
        standardize: each image by its own mean and standard deviation, as
            ``tf.image.per_image_standardization`` does; then ``mean`` and ``std`` are unused.
        resize: ``area`` averages where an image shrinks, and interpolates cubically where it
            grows; ``linear`` is what ``cv2.resize`` does where nobody says otherwise, for programs
            that feed a network so.
    """

    height: int
    width: int
    crop: float = 0.9
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    fit: Fit = "crop"
    channels: Channels = "rgb"
    standardize: bool = False
    resize: Resize = "area"

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise UsageProblem(
                "the input of a network has at least one pixel",
                found=f"{self.height}x{self.width}",
                fix="give a positive resolution",
            )
        if not 0 < self.crop <= 1:
            raise UsageProblem(
                "crop is the share of the image that is kept",
                found=str(self.crop),
                expected="more than 0 and at most 1",
                fix="use 0.9, or 1.0 to keep the whole central square",
            )
        for name, choices in (("fit", Fit), ("channels", Channels), ("resize", Resize)):
            if getattr(self, name) not in get_args(choices):
                raise UsageProblem(
                    f"there is no {name}={getattr(self, name)}",
                    expected=", ".join(get_args(choices)),
                    fix=f"for example {name}={get_args(choices)[1]}",
                )
        if self.fit != "crop" and self.crop != 1:
            raise UsageProblem(
                f"fit={self.fit} keeps the whole image",
                found=f"crop={self.crop:g} beside it",
                fix="give one of the two",
            )
        self._refuse_bad_normalization()

    def _refuse_bad_normalization(self) -> None:
        if not valid_normalization(self.mean, self.std):
            raise UsageProblem(
                "mean and std are one finite number or three (R, G, B), and std is not 0",
                found=f"mean {self.mean}, std {self.std}",
                fix="for example mean=127.5,std=127.5",
            )
        if self.depth == 1 and {len(self.mean), len(self.std)} != {1}:
            raise UsageProblem(
                "the input has one channel, and so one mean and one std",
                found=f"mean {self.mean}, std {self.std}",
                fix="for example mean=127.5,std=127.5",
            )
        if self.standardize and (any(self.mean) or set(self.std) != {1}):
            raise UsageProblem(
                "standardize takes mean and std from each image",
                found=f"mean {self.mean}, std {self.std} beside it",
                fix="give one of the two",
            )

    @property
    def depth(self) -> int:
        """Channels of the network's input."""
        return 1 if self.channels == "grey" else 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the network's input."""
        return self.height, self.width, self.depth

    @property
    def fitting(self) -> tuple[object, ...]:
        """All that ``preprocess`` goes by: two with the same make the same pixels of an image."""
        return self.shape, self.crop, self.fit, self.channels, self.resize

    @property
    def passes_pixels(self) -> bool:
        """Whether the host hands over unchanged pixels 0–255."""
        unchanged = not any(self.mean) and all(value == 1 for value in self.std)
        return unchanged and not self.standardize


def foreign_preprocess(height: int, width: int, channels: int) -> Preprocess:
    """What is done to an image for a network whose file does not say.

    The whole image is resized: so do Keras' ``image_dataset_from_directory``,
    ``flow_from_directory`` and ``cv2.resize``, with which nearly everybody reads a folder.
    """
    return Preprocess(
        height, width, crop=1.0, fit="squash", channels="grey" if channels == 1 else "rgb"
    )


def valid_normalization(mean: tuple[float, ...], std: tuple[float, ...]) -> bool:
    """Whether pixels can be normalized so: one number or three each, finite, no divisor 0."""
    counts = {len(mean), len(std)} <= {1, 3}
    return counts and all(map(math.isfinite, (*mean, *std))) and 0 not in std


def preprocess(pixels: Pixels, settings: Preprocess) -> Pixels:
    """Fit an image to the network: RGB pixels to height x width x (3 or 1), in its channels.

    Area averaging where it shrinks, cubic interpolation where it grows, but for
    ``resize="linear"``. The rule of ``fit`` is the same for every image, one of the network's own
    size too: images that were prepared elsewhere want ``crop=1`` or ``fit=squash``, which leave
    them untouched.
    """
    pixels = _cropped(pixels, settings, settings.crop) if settings.fit == "crop" else pixels
    if settings.fit == "pad":
        fitted = _padded(pixels, settings)
    else:
        fitted = _resized(pixels, settings.height, settings.width, settings.resize)
    return np.ascontiguousarray(in_channels(fitted, settings.channels))


def around_crop(pixels: Pixels, settings: Preprocess) -> Pixels:
    """The part of an image around what ``preprocess`` keeps: the largest in its middle of the
    input's aspect ratio where it crops, else all of it; a view, nothing is copied."""
    return _cropped(pixels, settings, 1.0) if settings.fit == "crop" else pixels


def _cropped(pixels: Pixels, settings: Preprocess, share: float) -> Pixels:
    rows, columns = pixels.shape[:2]
    scale = min(rows / settings.height, columns / settings.width) * share
    kept_rows = max(1, min(rows, round(settings.height * scale)))
    kept_columns = max(1, min(columns, round(settings.width * scale)))
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    return pixels[top : top + kept_rows, left : left + kept_columns]


def in_channels(pixels: Pixels, channels: Channels) -> Pixels:
    """RGB pixels, height x width x 3, in the channels that a network takes: x 3 or x 1."""
    if channels == "grey":
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], np.uint8)
    return pixels if channels == "rgb" else pixels[..., ::-1]


def in_rgb(pixels: Pixels, channels: Channels) -> Pixels:
    """What ``in_channels`` made, to be shown: height x width x 3 RGB pixels."""
    return np.repeat(pixels, 3, axis=2) if channels == "grey" else in_channels(pixels, channels)


def _resized(pixels: Pixels, height: int, width: int, resize: Resize) -> Pixels:
    rows, columns = pixels.shape[:2]
    if (rows, columns) == (height, width):
        return pixels
    shrinking = rows > height or columns > width
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    if resize == "linear":
        method = cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


def _padded(pixels: Pixels, settings: Preprocess) -> Pixels:
    height, width = settings.height, settings.width
    rows, columns = pixels.shape[:2]
    scale = min(height / rows, width / columns)
    inner_height = max(1, min(height, round(rows * scale)))
    inner_width = max(1, min(width, round(columns * scale)))
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    padded = np.zeros((height, width, 3), np.uint8)
    inner = _resized(pixels, inner_height, inner_width, settings.resize)
    padded[top : top + inner_height, left : left + inner_width] = inner
    return padded


def normalize(pixels: Pixels, settings: Preprocess) -> NDArray[np.float32]:
    """The real-valued input of the network, float32 of the same shape, from ``preprocess``'s
    pixels: (pixel - mean) / std."""
    values = pixels.astype(np.float32)
    if settings.standardize:
        # tf.image.per_image_standardization: an image of one colour is not divided by zero.
        least = 1 / math.sqrt(values.size)
        return np.asarray((values - values.mean()) / max(float(values.std()), least), np.float32)
    mean, std = np.asarray(settings.mean, np.float32), np.asarray(settings.std, np.float32)
    return np.asarray((values - mean) / std, np.float32)
