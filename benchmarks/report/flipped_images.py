"""Flipped images for the page: thumbnails, and maps of what each model looked at.

A map is a class-activation map where the network's end allows it (``runtime.activation``). Else
it is made by occlusion (Zeiler and Fergus 2014, section 4.2): a grey patch slides over the
image, and where the score of the model's own answer falls most, the evidence was. The patch
covers a quarter of each side and moves by an eighth.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import EdgeEffnetError
from edge_effnet.image.preprocessing import Pixels, in_rgb, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.activation import ActivationMapper, open_mapper
from edge_effnet.runtime.classifier import Classifier, open_classifier

SIDE = 208
QUALITY = 70
GRID = 8
_PATCH = 2  # of the grid's fields
_GREY = 128


def thumbnail(path: Path) -> str | None:
    """A small square JPEG as a data URI; None where the file is gone or unreadable."""
    pixels = _read(path)
    if pixels is None:
        return None
    rows, columns = pixels.shape[:2]
    side = min(rows, columns)
    top, left = (rows - side) // 2, (columns - side) // 2
    square = pixels[top : top + side, left : left + side]
    return _uri(np.asarray(cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)))


def evidence_overlay(path: Path, model: Path, index: int, classes: int) -> str | None:
    """The image as the model sees it, with its evidence for class ``index`` of ``classes`` in
    colour, as a data URI; None where the image or the model is gone, or no longer the same."""
    pixels, classifier = _read(path), _open(model)
    if pixels is None or classifier is None or len(classifier.labels) != classes:
        return None
    prepared = preprocess(pixels, classifier.preprocess)
    mapper = _open_mapper(model)
    evidence = (
        mapper.map(classifier.tensor(prepared), index)
        if mapper
        else occlusion_map(classifier, prepared, index)
    )
    strongest = float(evidence.max())
    heat = np.clip(evidence / strongest, 0, 1) if strongest > 0 else np.zeros_like(evidence)
    heat = np.asarray(cv2.resize(heat, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR))[..., None]
    shown = in_rgb(prepared, classifier.preprocess.channels)
    small = cv2.resize(shown, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    grey = small.mean(axis=2, keepdims=True).repeat(3, axis=2)
    colour = np.array([255.0, 110.0, 0.0], np.float32)
    mixed = grey * (1 - 0.65 * heat) + colour * 0.65 * heat
    return _uri(np.asarray(np.clip(mixed, 0, 255), np.uint8))


def occlusion_map(
    classifier: Classifier, prepared: Pixels, index: int, grid: int = GRID
) -> NDArray[np.float32]:
    """How much the score of class ``index`` falls where a patch hides the image.

    Args:
        prepared: height x width x channels, as ``preprocess`` makes them.

    Returns:
        float32, (grid, grid): the mean fall over the patches that cover a field; at least 0.
    """
    unhidden = float(classifier.scores_of_input(classifier.tensor(prepared))[index])
    height, width = prepared.shape[:2]
    rows = np.linspace(0, height, grid + 1).astype(int)
    columns = np.linspace(0, width, grid + 1).astype(int)
    fall, covered = np.zeros((grid, grid), np.float32), np.zeros((grid, grid), np.float32)
    for row in range(grid - _PATCH + 1):
        for column in range(grid - _PATCH + 1):
            hidden = prepared.copy()
            hidden[rows[row] : rows[row + _PATCH], columns[column] : columns[column + _PATCH]] = (
                _GREY
            )
            score = float(classifier.scores_of_input(classifier.tensor(hidden))[index])
            field = np.s_[row : row + _PATCH, column : column + _PATCH]
            fall[field] += max(0.0, unhidden - score)
            covered[field] += 1
    return fall / covered


def _read(path: Path) -> Pixels | None:
    try:
        return read_image(path)
    except (EdgeEffnetError, OSError, ValueError):  # the last: no name that a file could have
        return None


@cache
def _open(model: Path) -> Classifier | None:
    try:
        return open_classifier(model)
    except (EdgeEffnetError, OSError):
        return None


@cache
def _open_mapper(model: Path) -> ActivationMapper | None:
    return open_mapper(model)


def _uri(rgb: Pixels) -> str | None:
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    if not done:
        return None
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
