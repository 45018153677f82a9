"""Two networks that are taught the same photos: what the small one costs is measured."""

from __future__ import annotations

from pathlib import Path

from edge_effnet.data.listing import load_dataset
from edge_effnet.stages import no_progress
from edge_effnet.teaching.with_float import TaughtPair, teach_pair
from tests.edge_effnet.conftest import MakeModel


def taught(photos: Path, small: Path, reference: Path | None) -> TaughtPair:
    dataset = load_dataset(photos, part="training")
    return teach_pair(dataset, small, reference, name="mine", seed=0, stage=no_progress)


def test_both_are_asked_about_the_same_photos(colour_model: MakeModel, colour_folder: Path) -> None:
    float_file = colour_model("float.tflite")
    pair = taught(colour_folder, colour_model("small.tflite"), float_file)
    assert pair.comparison is not None
    assert pair.comparison.paired is not None
    assert (pair.comparison.images, pair.comparison.paired.lost) == (30, 0)
    card = pair.small.card
    assert card.name == "mine-int8"
    assert card.measured is not None
    assert card.measured["data"] == "images, by cross-validation"
    assert card.measured["candidate"]["top1"] == card.measured["reference"]["top1"] == 100
    assert pair.reference is not None
    assert pair.reference.card.measured is None


def test_without_a_float_network_nothing_is_compared(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    pair = taught(colour_folder, colour_model("small.tflite"), None)
    assert (pair.reference, pair.comparison, pair.small.card.measured) == (None, None, None)
