"""The usual ways in which pixels become a network's input, and their words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_effnet.image.preprocess_text import NORMALIZATIONS, normalization_name
from edge_effnet.image.preprocessing import Preprocess

SCALINGS = tuple(NORMALIZATIONS)
_COLOURED = frozenset({"torch", "caffe"})  # three means, for three channels


def with_scaling(base: Preprocess, name: str) -> Preprocess:
    """The same fit with another scaling; of colour channels those that go with it."""
    channels = base.channels if base.channels == "grey" else "rgb"
    return replace(base, **{"standardize": False, "channels": channels, **NORMALIZATIONS[name]})


def scalings_of(base: Preprocess) -> dict[str, Preprocess]:
    """Every usual scaling that a network with these channels can have been trained with."""
    names = [name for name in SCALINGS if base.channels != "grey" or name not in _COLOURED]
    return {name: with_scaling(base, name) for name in names}


def other_channels(settings: Preprocess) -> Preprocess | None:
    """The same with red and blue exchanged, each with the mean that it had; None in grey."""
    if settings.channels == "grey":
        return None
    turned: Preprocess = replace(
        settings,
        channels="bgr" if settings.channels == "rgb" else "rgb",
        mean=settings.mean[::-1],
        std=settings.std[::-1],
    )
    return turned


def with_fit_and_channels(settings: Preprocess, of: Preprocess) -> Preprocess:
    """The same scaling, with the fit of another and with its channels, each of its own mean."""
    settings = replace(settings, fit=of.fit, crop=of.crop)
    return settings if settings.channels == of.channels else other_channels(settings) or settings


def same_scaling(one: Preprocess, other: Preprocess) -> bool:
    """Whether two make nearly the same of pixels, red with red and blue with blue."""
    if one.standardize or other.standardize:
        return one.standardize == other.standardize
    mine, theirs = _ends(one), _ends(other)
    return bool((np.abs(mine - theirs) <= _ROUNDING * np.ptp(mine, axis=0)).all())


def _ends(settings: Preprocess) -> NDArray[np.float64]:
    """What becomes of black and of white, (2, 3), in R, G, B order."""
    mean, std = (np.resize(row, 3) for row in (settings.mean, settings.std))
    ends: NDArray[np.float64] = (np.array([[0.0], [255.0]]) - mean) / std
    return ends[:, ::-1] if settings.channels == "bgr" else ends


_ROUNDING = 1 / 64
"""Of the range: mean and std of 127 and 128 are meant as 127.5."""

_SAID = {
    "raw": "pixels stay 0–255",
    "unit": "pixels are divided by 255",
    "tf": "pixels become -1…1",
    "torch": "pixels are normalized by ImageNet's mean and deviation",
    "caffe": "ImageNet's mean is taken from the pixels",
    "standardize": "each image is standardized",
}
_ORDERS = {"rgb": "", "bgr": " in B, G, R order", "grey": ""}


def describe(settings: Preprocess) -> str:
    """A sentence: "pixels are divided by 255 and the photo is squashed"."""
    return f"{describe_scaling(settings)} and the photo is {describe_fit(settings)}"


def describe_scaling(settings: Preprocess) -> str:
    """What becomes of pixels: "pixels are divided by 255"."""
    name = normalization_name(settings)
    said = _SAID[name] if name else f"pixels become {_formula(settings)}"
    return said + _ORDERS[settings.channels]


def describe_fit(settings: Preprocess) -> str:
    """What becomes of the photo: "squashed"."""
    return f"made grey and {_fit(settings)}" if settings.channels == "grey" else _fit(settings)


def _fit(settings: Preprocess) -> str:
    if settings.fit == "crop":
        share = "" if settings.crop == 1 else f"{settings.crop:g} of "
        return f"cut to {share}its central square"
    return "squashed" if settings.fit == "squash" else "padded"


def _formula(settings: Preprocess) -> str:
    mean, std = (_joined(row) for row in (settings.mean, settings.std))
    return f"(pixel - {mean}) / {std}"


def _joined(values: Iterable[float]) -> str:
    return "/".join(f"{value:.4g}" for value in values)
