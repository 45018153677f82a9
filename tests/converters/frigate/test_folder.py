"""``convert --for frigate``: the folder that Frigate reads, as a user gets it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from converters.frigate.folder import classifier_name, refuse_bad_labels
from edge_effnet.artifact import read_artifact
from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.image.preprocess_text import preprocess_text
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.classifier import open_classifier
from tests.converters.frigate.reading import FrigateReading

FrontDoor = tuple[Path, dict, str]


def test_the_folder_holds_what_frigate_reads_and_nothing_else(front_door: FrontDoor) -> None:
    out, _, _ = front_door
    names = ["frigate-object.yml", "frigate-state.yml", "labelmap.txt", "model.tflite"]
    assert sorted(path.name for path in out.iterdir()) == names
    label_map = (out / "labelmap.txt").read_text()
    assert label_map.splitlines() == [f"class{index}" for index in range(10)]


def test_the_model_takes_and_gives_bytes(front_door: FrontDoor) -> None:
    reading = FrigateReading(front_door[0])
    assert reading.input["shape"].tolist() == [1, 224, 224, 3]
    assert reading.input["dtype"] == np.uint8
    (output,) = reading.outputs  # no second one, by which our own files answer "unknown"
    assert (output["dtype"], output["quantization"]) == (np.uint8, (1 / 256, 0))


def test_what_was_measured_is_what_frigate_feeds(front_door: FrontDoor) -> None:
    out, report, said = front_door
    card = read_artifact(out / "model.tflite").card
    assert card is not None
    assert preprocess_text(card.preprocess).endswith("fit=squash,resize=linear")
    assert card.measured is not None
    assert card.measured["n"] == report["models"][1]["comparison"]["n"] == 50
    assert "was made for raw,crop=0.9; Frigate squashes its region to 224x224" in said
    assert any("Frigate takes the answer to" in note for note in report["notes"])


def test_the_float_model_is_measured_and_not_kept(front_door: FrontDoor) -> None:
    reference, small = front_door[1]["models"]
    assert (reference["recipe"], reference["file"]) == ("float32", None)
    assert small["file"].endswith("front_door/model.tflite")


def test_frigate_reads_the_scores_of_our_own_runtime(front_door: FrontDoor, photos: Path) -> None:
    """Bit for bit, but for the division by the sum."""
    out, _, _ = front_door
    reading, ours = FrigateReading(out), open_classifier(out / "model.tflite")
    for path in sorted(photos.rglob("*.png"))[:20]:
        pixels = read_image(path)
        scores = ours.scores(pixels)
        assert reading.shares(pixels) == pytest.approx(scores / scores.sum(), abs=1e-6)


def test_the_snippets_are_whole(front_door: FrontDoor) -> None:
    out, _, _ = front_door
    state, objects = (
        yaml.safe_load((out / name).read_text())["classification"]["custom"]["front_door"]
        for name in ("frigate-state.yml", "frigate-object.yml")
    )
    assert state == {
        "threshold": 0.8,
        "state_config": {
            "motion": True,
            "interval": 60,
            "cameras": {"CAMERA": {"crop": [0.0, 0.0, 1.0, 1.0]}},
        },
    }
    assert objects == {
        "threshold": 0.8,
        "object_config": {"objects": ["OBJECT"], "classification_type": "sub_label"},
    }


@pytest.mark.parametrize("out", [".", "a folder", "-x", "über"])
def test_a_folder_that_names_no_classifier(out: str) -> None:
    with pytest.raises(UsageProblem, match="folder with the classifier's name"):
        classifier_name(Path(out))


def test_names_that_frigate_cannot_use() -> None:
    with pytest.raises(DataError, match="nobody named the classes of lite0"):
        refuse_bad_labels(("0", "1"), "lite0")
    with pytest.raises(DataError, match="found 'on/off'"):
        refuse_bad_labels(("on/off", "open"), "lite0")
    refuse_bad_labels(("0 10 rupees", "tür", "none"), "lite0")


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x85", "\u2028", "\x1b"])
def test_a_name_writes_no_second_line(end: str) -> None:
    label = f"cat{end}mqtt: {{host: other}}"
    with pytest.raises(DataError, match="no control characters"):
        refuse_bad_labels((label, "dog"), "lite0")


def test_a_region_of_any_shape_is_squashed(front_door: FrontDoor) -> None:
    out, _, _ = front_door
    wide = np.random.default_rng(1).integers(0, 256, (90, 400, 3), np.uint8)
    square = cv2.resize(wide, (224, 224))
    reading, ours = FrigateReading(out), open_classifier(out / "model.tflite")
    assert np.array_equal(reading.shares(wide), reading.shares(square))
    assert ours.scores(wide) == pytest.approx(ours.scores(square))
