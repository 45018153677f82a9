"""Labelled photos tell how pixels become the input, where they can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.data.listing import load_dataset
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocess_text import preprocess_text
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.file_evidence import evidence_of
from edge_effnet.runtime.input_pixels.labelled import TrialOutcome, find_with_photos, sample_of
from edge_effnet.runtime.input_pixels.trial import LabelledPhotos, p_no_better
from edge_effnet.tflite.reader import parse_structure

MakeNetwork = Callable[..., bytes]
HEAD = Head("softmax", 3)


def tried(model: bytes, folder: Path, evidence: Evidence | None = None) -> TrialOutcome:
    told = evidence or evidence_of(model, parse_structure(model, "a network"))
    photos = sample_of(load_dataset(folder), told.settings)
    paths = tuple(sample.path for sample in photos.samples)
    truth = np.array([sample.label for sample in photos.samples], np.int64)
    return find_with_photos(model, HEAD, told, LabelledPhotos(paths, truth), workers=2)


def test_blue_and_red_exchanged(network: MakeNetwork, colour_photos: Path) -> None:
    found = tried(network(channels=(0, 1, 2), gain=30.0), colour_photos).found
    assert found is not None
    assert preprocess_text(found.settings) == "unit,fit=squash,channels=bgr"
    right = tried(network(gain=30.0), colour_photos).found
    assert right is not None
    assert right.settings.channels == "rgb"


def test_labels_that_are_no_better_than_chance_tell_nothing(
    network: MakeNetwork, colour_photos: Path
) -> None:
    outcome = tried(network(gain=0.0), colour_photos)
    assert outcome == TrialOutcome(None, 36)


def test_a_scaling_that_saturates_or_tells_nothing_apart_loses(
    network: MakeNetwork, colour_photos: Path
) -> None:
    # The brightest channel of pixels 0-1 above 0.55 decides: anything else gives one answer.
    model = network(gain=40.0, offset=(0.0, 0.0, 0.0), before=())
    found = tried(model, colour_photos).found
    assert found is not None
    assert "36 labelled photos" in found.reason


def test_photos_overrule_what_was_inferred_and_the_line_says_both(
    network: MakeNetwork, colour_photos: Path
) -> None:
    # Trained on pixels / 255 although it rescales inside: green wins where differences are small.
    model = network(before=[("MUL", 1 / 255)], gain=255 * 30.0, offset=(0.0, 0.0, 0.0))
    evidence = evidence_of(model, parse_structure(model, "a network"))
    assert preprocess_text(evidence.settings) == "raw,fit=squash"
    found = tried(model, colour_photos).found
    assert found is not None
    assert found.certain


def test_what_is_stated_is_not_tried(network: MakeNetwork, colour_photos: Path) -> None:
    model = network(quantized=("uint8", 1 / 255, 0), gain=30.0)
    found = tried(model, colour_photos).found
    assert found is not None
    assert preprocess_text(found.settings) == "unit,fit=squash"
    assert found.reason == "the scale of its input tensor"


def test_unreadable_photos_are_left_out(network: MakeNetwork, colour_photos: Path) -> None:
    (colour_photos / "red" / "00.png").write_bytes(b"")
    assert tried(network(gain=30.0), colour_photos).photos == 35


def test_chance_explains_few_photos() -> None:
    assert p_no_better(np.ones(4), np.zeros(4)) > 0.04
    assert p_no_better(np.ones(20), np.zeros(20)) < 0.001
    assert p_no_better(np.zeros(20), np.zeros(20)) == pytest.approx(1)
