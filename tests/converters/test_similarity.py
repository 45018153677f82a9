"""Converted files that answer "unknown": what they get, and which do not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import converters
from converters.similarity import rule_for_each_class
from edge_effnet.artifact import read_artifact
from edge_effnet.data.listing import load_dataset
from edge_effnet.heads.learning.cross_validation import unknown_rule
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.evaluating.predict import predict
from edge_effnet.runtime.interpreter import open_interpreter

Convert = Callable[..., converters.Conversion]


@pytest.fixture
def convert(tiny_file: Path, tmp_path: Path) -> Convert:
    def run(folder: str = "out", **options: object) -> converters.Conversion:
        given = {"model": tiny_file, "recipes": ("int8",), "calibration_images": 40, "threads": 2}
        return converters.convert(out=tmp_path / folder, **(given | options))  # type: ignore[arg-type]

    return run


def outputs(path: Path) -> int:
    return len(open_interpreter(path).interpreter.get_output_details())


def test_each_file_gets_its_own_rule_and_the_same_scores(
    convert: Convert, photos: Path, tiny_file: Path
) -> None:
    made = convert(data=photos).made
    thresholds = set()
    for file in made:
        card = read_artifact(file.path).card
        assert card is not None
        assert card.unknown is not None
        assert outputs(file.path) == 2
        thresholds.add(card.unknown.threshold)
        assert (card.unknown.lost_share, card.unknown.images) == (0.05, 40)
    assert len(thresholds) == len(made) == 2
    comparison = made[1].comparison
    assert comparison is not None
    assert comparison.unknown is not None
    assert (comparison.unknown.reference, comparison.unknown.candidate) == (1, 1)
    images = load_dataset(photos)
    before, after = predict(tiny_file, images), predict(made[0].path, images)
    np.testing.assert_allclose(after.scores, before.scores, atol=1e-6)


def test_the_float_file_is_converted_again(convert: Convert, photos: Path) -> None:
    first = convert(data=photos).made
    again = convert("again", model=first[0].path, data=photos).made
    for before, after in zip(first, again, strict=True):
        assert open_classifier(after.path).unknown == open_classifier(before.path).unknown


def test_a_folder_that_is_divided_already_serves_too(
    convert: Convert, photos: Path, tmp_path: Path
) -> None:
    for part, numbers in (("train", range(4)), ("val", range(4, 8))):
        for folder in photos.iterdir():
            for path in sorted(folder.iterdir())[numbers.start : numbers.stop]:
                target = tmp_path / "parts" / part / folder.name / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    parts = tmp_path / "parts"
    assert all(outputs(file.path) == 2 for file in convert(data=parts).made)
    apart = convert("apart", calibration=parts / "train", data=parts / "val")
    assert all(outputs(file.path) == 2 for file in apart.made)


@pytest.mark.parametrize("case", ["no photos", "no labels", "full integer", "edgetpu", "a class"])
def test_files_that_cannot_tell_always_answer_a_class(
    convert: Convert, photos: Path, tmp_path: Path, case: str
) -> None:
    options: dict[str, object] = {"data": photos}
    if case == "no photos":
        options = {}
    elif case == "no labels":
        options = {"calibration": photos}
    elif case == "full integer":
        options |= {"full_integer": True}
    elif case == "edgetpu":
        options |= {"recipes": ("edgetpu",)}
    else:
        shutil.copytree(photos, tmp_path / "fewer")
        shutil.rmtree(tmp_path / "fewer" / "class3")
        options = {"data": tmp_path / "fewer"}
    small = convert(**options).made[-1].path
    card = read_artifact(small).card
    assert card is not None
    assert (card.unknown, outputs(small)) == (None, 1)


def test_no_class_loses_more_than_its_share() -> None:
    similar, varied = np.linspace(0.9, 0.99, 80), np.linspace(0.4, 0.99, 20)
    similarity = np.concatenate([similar, varied]).astype(np.float32)
    truth = np.repeat([0, 1], [80, 20])
    assert (similarity[truth == 1] < unknown_rule(similarity, 0.05).threshold).mean() == 0.2
    rule = rule_for_each_class(similarity, truth)
    assert rule.threshold == similarity[truth == 1].min()
    assert (rule.lost_share, rule.images) == (0.05, 100)


def test_a_class_of_few_images_does_not_decide_alone() -> None:
    similarity = np.linspace(0.5, 0.99, 100).astype(np.float32)
    truth = np.repeat([1, 0], [19, 81])  # the lowest are of one class
    rule = rule_for_each_class(similarity, truth)
    assert rule.threshold == unknown_rule(similarity, 0.05).threshold
