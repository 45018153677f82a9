"""What a stored trial depends on: whatever changes a figure in it, changes its key."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from converters.accuracy.checks import Check
from converters.accuracy.limits import Limits
from converters.accuracy.strategies import STRATEGIES
from converters.accuracy.trials import Trial, stored_trial, trial_key
from converters.calibration.representative import Calibration
from converters.quantization.candidates import Context
from edge_effnet.artifact import Card
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import Structure

HOW = Preprocess(32, 32)
LABELS = ("cat", "dog")
CARD = Card("tiny", LABELS, HOW, head=Head("multilabel", 2), model_sha256="1")


@pytest.fixture
def images(tmp_path: Path) -> Dataset:
    """Two images with several labels each, as a CSV file says them."""
    paths = [tmp_path / f"{index}.png" for index in range(2)]
    for path in paths:
        path.write_bytes(path.name.encode())
    samples = (Sample(paths[0], None, labels=(0, 1)), Sample(paths[1], None, labels=(1,)))
    return Dataset(samples, LABELS, "data.csv")


def key(selection: Dataset, card: Card = CARD, calibration: Dataset | None = None) -> str:
    used = Calibration(calibration, 0 if calibration else 2, HOW, 0)
    structure = Structure((), (), (), (), {})
    context = Context(b"model", structure, used, "uint8", 1)
    return trial_key(STRATEGIES[0], context, (selection, selection), Limits(1.0), card)


def corrected(images: Dataset, **said: Any) -> Dataset:
    """The same images, but the CSV file says something else of the first."""
    return replace(images, samples=(replace(images.samples[0], **said), *images.samples[1:]))


def test_the_same_inputs_have_the_same_key(images: Dataset) -> None:
    assert key(images) == key(replace(images, source="elsewhere.csv"))


@pytest.mark.parametrize(
    "said", [{"labels": (0,)}, {"labels": ()}, {"labels": None}, {"label": 1}, {"value": 0.5}]
)
def test_a_corrected_csv_file_changes_the_key(images: Dataset, said: dict[str, Any]) -> None:
    assert key(corrected(images, **said)) != key(images)
    own = key(images, calibration=images)
    assert key(images, calibration=corrected(images, **said)) != own


def test_another_image_or_another_name_of_a_class_changes_the_key(images: Dataset) -> None:
    before = key(images)
    assert key(replace(images, labels=("dog", "cat"))) != before
    images.samples[0].path.write_bytes(b"another image")
    assert key(images) != before


@pytest.mark.parametrize(
    "changed",
    [
        {"head": Head("multilabel", 2, threshold=0.3)},
        {"head": Head("multilabel-logits", 2)},
        {"labels": ("dog", "cat")},
        {"preprocess": Preprocess(32, 32, crop=1.0)},
        {"model_sha256": "2"},  # the float model before pruning is the reference then
    ],
)
def test_how_scores_become_answers_is_part_of_the_key(
    images: Dataset, changed: dict[str, Any]
) -> None:
    assert key(images, replace(CARD, **changed)) != key(images)


def trial(**figures: Any) -> Trial:
    check = Check("drop", 0.5, -1.0, 2.0, 1.0, True, "not provable", 100, None, 0.5)
    given = {
        "size_bytes": 1000,
        "agreement_percent": 98.0,
        "score_l1": 0.02,
        "top1_percent": 80.0,
        "drop_points": 0.5,
        "drop_interval_points": (-1.0, 2.0),
        "latency_ratio": 0.4,
        "seconds": 3.0,
        "checks": (check,),
        "confirmed": (check,),
    }
    return Trial(**(given | figures), strategy=STRATEGIES[0])


@pytest.mark.parametrize(
    "figures", [{}, {"top1_percent": None, "drop_points": None, "drop_interval_points": None}]
)
def test_a_stored_trial_is_read_again(figures: dict[str, Any]) -> None:
    made = trial(**figures)
    stored = json.loads(json.dumps(made.to_json()))
    assert stored_trial(STRATEGIES[0], stored) == replace(made, resumed=True)


@pytest.mark.parametrize("damage", [{"checks": [{}]}, {"latency_ratio": "fast"}, {"seconds": None}])
def test_what_is_no_trial_is_measured_anew(damage: dict[str, Any]) -> None:
    stored = {**json.loads(json.dumps(trial().to_json())), **damage}
    assert stored_trial(STRATEGIES[0], stored) is None
    for nothing in (None, [], {}, "trial"):
        assert stored_trial(STRATEGIES[0], nothing) is None
