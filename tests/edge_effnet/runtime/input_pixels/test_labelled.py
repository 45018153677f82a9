"""Labelled photos tell how pixels become the input, where they can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.data.listing import load_dataset
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocess_text import preprocess_text
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.file_evidence import evidence_of, with_told
from edge_effnet.runtime.input_pixels.labelled import TrialOutcome, find_with_photos, sample_of
from edge_effnet.runtime.input_pixels.trial import LabelledPhotos
from edge_effnet.tflite.reader import parse_structure
from tests.edge_effnet.runtime.input_pixels.conftest import COLOURS

MakeNetwork = Callable[..., bytes]
HEAD = Head("softmax", 3)


def tried(model: bytes, folder: Path, evidence: Evidence | None = None) -> TrialOutcome:
    told = evidence or evidence_of(model, parse_structure(model, "a network"))
    photos = sample_of(load_dataset(folder), told)
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
    # It begins with 2 x - 1 and yet was trained on 0-255: of 0-1 it says "green" of every photo.
    model = network(before=[("MUL", 2.0), ("SUB", 1.0)], gain=0.5, offset=(0.0, 5.0, 0.0))
    evidence = evidence_of(model, parse_structure(model, "a network"))
    assert preprocess_text(evidence.settings) == "unit,fit=squash"
    found = tried(model, colour_photos).found
    assert found is not None
    assert preprocess_text(found.settings) == "raw,fit=squash"
    assert "36 right, where a rescaling inside the network says that pixels are" in found.reason


def test_what_is_stated_is_not_tried(network: MakeNetwork, colour_photos: Path) -> None:
    model = network(quantized=("uint8", 1 / 255, 0), gain=30.0)
    found = tried(model, colour_photos).found
    assert found is not None
    assert preprocess_text(found.settings) == "unit,fit=squash"
    assert found.reason == "the scale of its input tensor"


def test_unreadable_photos_are_left_out(network: MakeNetwork, colour_photos: Path) -> None:
    (colour_photos / "red" / "00.png").write_bytes(b"")
    assert tried(network(gain=30.0), colour_photos).photos == 35


def test_too_few_photos_are_not_run(network: MakeNetwork, tmp_path: Path) -> None:
    for colour in COLOURS:
        (tmp_path / colour).mkdir()
        for number in range(2):
            pixels = np.full((8, 8, 3), number, np.uint8)
            cv2.imwrite(str(tmp_path / colour / f"{number}.png"), pixels)
    assert tried(network(gain=30.0), tmp_path) == TrialOutcome(None, 6)


def test_nothing_is_run_where_nothing_is_left_to_find(
    network: MakeNetwork, colour_photos: Path
) -> None:
    model = network(quantized=("uint8", 1 / 255, 0), gain=30.0)
    stated = evidence_of(model, parse_structure(model, "a network"))
    complete = replace(stated, fit_known=True, channels_known=True)
    assert tried(model, colour_photos, complete) == TrialOutcome(None, 0)
    contradictable = replace(complete, strength="inferred")
    assert tried(model, colour_photos, contradictable).photos == 32


def test_several_labels_and_values_tell_too(network: MakeNetwork, colour_photos: Path) -> None:
    model = network(channels=(0, 1, 2), gain=30.0)
    told = evidence_of(model, parse_structure(model, "a network"))
    photos = sample_of(load_dataset(colour_photos), told)
    paths = tuple(sample.path for sample in photos.samples)
    truth = np.eye(3, dtype=np.bool_)[[sample.label for sample in photos.samples]]
    for head, known in (
        (Head("multilabel", 3), truth),
        (Head("regression", 3), truth.astype(np.float64)),
    ):
        outcome = find_with_photos(model, head, told, LabelledPhotos(paths, known), workers=1)
        assert outcome.found is not None
        assert outcome.found.settings.channels == "bgr"


@pytest.mark.parametrize("kind", ["softmax", "multilabel", "regression"])
def test_one_answer_to_every_photo_is_never_found(
    network: MakeNetwork, colour_photos: Path, kind: str
) -> None:
    model = network(gain=0.0, offset=(0.0, 1.0, 0.0))
    told = evidence_of(model, parse_structure(model, "a network"))
    photos = sample_of(load_dataset(colour_photos), told)
    truth = np.array([sample.label for sample in photos.samples], np.int64)
    known = truth if kind == "softmax" else np.eye(3, dtype=np.bool_)[truth]
    known = known.astype(np.float64) if kind == "regression" else known
    paths = tuple(sample.path for sample in photos.samples)
    outcome = find_with_photos(model, Head(kind, 3), told, LabelledPhotos(paths, known), workers=2)
    assert outcome == TrialOutcome(None, 36)


def test_the_fit_is_found(network: MakeNetwork, tmp_path: Path) -> None:
    """What counts lies at the left and right, which a central square leaves out."""
    random = np.random.default_rng(1)
    for place, colour in enumerate(COLOURS):
        (tmp_path / colour).mkdir()
        for number in range(16):
            pixels = random.integers(0, 90, (16, 48, 3)).astype(np.uint8)
            pixels[:, 16:32, (place + 1) % 3] = 255
            pixels[:, :16, place] = pixels[:, 32:, place] = 255
            cv2.imwrite(str(tmp_path / colour / f"{number}.png"), pixels)
    squashed = tried(network(gain=30.0), tmp_path)
    assert squashed.found is not None
    assert squashed.found.settings.fit == "squash"
    # The middle is of another colour: cut out, it is what this network is right about.
    central = tried(network(gain=30.0, channels=(1, 0, 2)), tmp_path)
    assert central.found is not None
    assert (central.found.settings.fit, central.found.settings.crop) == ("crop", 1.0)


def test_what_the_user_says_of_one_leaves_the_other_to_the_photos(
    network: MakeNetwork, colour_photos: Path
) -> None:
    model = network(channels=(0, 1, 2), gain=30.0)
    nothing = evidence_of(model, parse_structure(model, "a network"))
    for said, expected in (
        ("fit=crop", "unit,crop=1,channels=bgr"),
        ("channels=bgr", "unit,fit=squash,channels=bgr"),
    ):
        told = with_told(nothing, said)
        assert isinstance(told, Evidence)
        outcome = tried(model, colour_photos, told)
        assert outcome.found is not None
        assert preprocess_text(outcome.found.settings) == expected
        assert ("are equal on them" in outcome.found.reason) == (said == "channels=bgr")
