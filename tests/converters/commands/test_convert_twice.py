"""Converting a network that normalizes pixels inside and was trained on normalized ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import converters
from converters.calibration.dead_leaves import generated_image
from converters.conversion import Conversion
from edge_effnet.artifact import read_artifact
from edge_effnet.tflite.reader import read_structure
from tests.converters.conftest import CLASSES, write_image
from tests.converters.rescaled_twice import SIDE


@pytest.fixture(scope="module")
def folder(twice: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network, and images in two folders."""
    folder = tmp_path_factory.mktemp("twice")
    path = folder / "mine.tflite"
    path.write_bytes(twice)
    for index in range(160):
        part = "val" if index % 2 else "train"
        image = folder / part / f"class{index // 2 % CLASSES}" / f"{index}.png"
        write_image(image, generated_image(index, 9, SIDE, SIDE))
    return folder


def converted(folder: Path, *, full_integer: bool, measured: bool = True) -> Conversion:
    return converters.convert(
        folder / "mine.tflite",
        out=folder / f"{full_integer}-{measured}",
        calibration=folder / "train",
        data=folder / "val" if measured else None,
        preprocess="mean=0,std=255",
        full_integer=full_integer,
    )


@pytest.fixture(scope="module")
def conversions(folder: Path) -> tuple[Conversion, Conversion]:
    """By default, and with nothing left in float."""
    return converted(folder, full_integer=False), converted(folder, full_integer=True)


def test_its_first_operators_stay_in_float_and_the_report_says_why(
    conversions: tuple[Conversion, Conversion],
) -> None:
    mixed, full = (conversion.made[-1] for conversion in conversions)
    assert mixed.comparison is not None
    assert full.comparison is not None
    assert (mixed.comparison.agreement_percent or 0) > (full.comparison.agreement_percent or 100)
    (cure, kept, *_), (same_cure, cost, *_) = (conversion.notes for conversion in conversions)
    assert cure == same_cure
    assert "feed 0–255 when you train" in cure
    assert "operators of mine-int8.tflite compute in float" in kept
    assert "full integer's time" in kept
    assert "leave --full-integer out" in cost
    weights = {
        tensor.dtype for tensor in read_structure(full.path).tensors if tensor.constant_bytes
    }
    assert "float32" not in weights
    card = read_artifact(mixed.path).card
    assert card is not None
    assert "folded" in [step["step"] for step in card.steps]


def test_the_advice_names_the_layer_that_costs_most(
    conversions: tuple[Conversion, Conversion],
) -> None:
    comparison = conversions[1].made[-1].comparison
    assert comparison is not None
    assert comparison.agreement_percent is not None
    assert comparison.agreement_percent < 95
    line = conversions[1].notes[-1]
    assert "The layer that costs most is" in line
    assert "when it alone is in 8 bits" in line


def test_generated_images_name_no_layer(folder: Path) -> None:
    conversion = converted(folder, full_integer=True, measured=False)
    comparison = conversion.made[-1].comparison
    assert comparison is not None
    assert (comparison.agreement_percent or 0) < 95
    assert not any("costs most" in note for note in conversion.notes)
