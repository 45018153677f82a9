"""A network small enough to convert in seconds, and images for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from converters.calibration.dead_leaves import generated_image
from converters.calibration.ranges import Ranges, choose_ranges, collect_statistics
from converters.calibration.representative import Calibration
from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.scaling import scaled_variant
from edge_effnet.artifact import Card, write_artifact
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import Structure, parse_structure
from tests.converters.rescaled_twice import pixels, rescaled_twice

TINY = scaled_variant(-8)
SIDE, CLASSES = 64, 10


@dataclass(frozen=True)
class TinyModel:
    """A float export with random weights, its ranges, and the Keras network it came from."""

    model: bytes
    structure: Structure
    ranges: Ranges
    calibration: Calibration
    network: object


@pytest.fixture(scope="session")
def tiny() -> TinyModel:
    import keras

    from converters.float_model.export import export_network
    from edge_effnet.network.build import build

    keras.utils.set_random_seed(1)
    network = build(TINY, classes=CLASSES, resolution=SIDE)
    model = export_network(network, TINY)
    structure = parse_structure(model, "tiny")
    calibration = Calibration(None, 12, Preprocess(SIDE, SIDE), seed=0)
    statistics = collect_statistics(model, structure, calibration, workers=2)
    ranges = choose_ranges(statistics, structure, calibration, model)
    return TinyModel(model, structure, ranges, calibration, network)


@pytest.fixture
def tiny_file(tiny: TinyModel, tmp_path: Path) -> Path:
    """The float export as a file of ours."""
    path = tmp_path / "tiny-float32.tflite"
    labels = tuple(f"class{index}" for index in range(CLASSES))
    write_artifact(path, tiny.model, Card("tiny", labels, Preprocess(SIDE, SIDE)))
    return path


@pytest.fixture(scope="session")
def twice() -> bytes:
    """A float model for pixels of 0–1 that rescales and normalizes them once more."""
    return rescaled_twice(pixels(8))


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of ten classes, eight images each, in the shape ``--data`` takes."""
    folder = tmp_path_factory.mktemp("photos")
    for index in range(8 * CLASSES):
        write_image(
            folder / f"class{index % CLASSES}" / f"{index:03}.png",
            generated_image(index, 5, 80, 90),
        )
    return folder


def write_image(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def signal_to_noise(expected: np.ndarray, answer: np.ndarray) -> float:
    """In decibels; a constant added to all logits of an image is no error (softmax)."""
    signal = expected - expected.mean(axis=1, keepdims=True)
    noise = signal - (answer - answer.mean(axis=1, keepdims=True))
    power, lost = float((signal**2).sum()), float((noise**2).sum())
    return float(10 * np.log10(max(power, 1e-20) / max(lost, 1e-20)))


@pytest.fixture(scope="session")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "labels.txt"
    path.write_text("".join(f"class{index}\n" for index in range(CLASSES)))
    return path


@pytest.fixture(scope="session")
def variant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("variant") / "tiny.json"
    write_variant(path, TINY)
    return path
