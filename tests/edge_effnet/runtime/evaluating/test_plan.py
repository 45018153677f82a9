"""Models and images that fit each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_effnet.errors import DataError, ModelError
from edge_effnet.runtime.evaluating.plan import plan_evaluation

MakeModel = Callable[..., Path]


def test_images_are_read_by_the_models_labels(colour_model: MakeModel, colour_folder: Path) -> None:
    models = [colour_model("one.tflite"), colour_model("two.tflite")]
    plan = plan_evaluation(models, colour_folder)
    assert plan.labels == plan.dataset.labels
    assert plan.evaluation_set.dataset is plan.dataset
    assert plan.warnings == []
    assert len(plan.preprocessing) == 2
    ours, theirs = plan.predict(workers=2)
    assert ours.paths == theirs.paths == tuple(one.path for one in plan.dataset.samples)


def test_a_sample_has_as_many_of_each_class(colour_model: MakeModel, colour_folder: Path) -> None:
    plan = plan_evaluation([colour_model()], colour_folder).sample(3, seed=1)
    assert sorted(sample.label for sample in plan.dataset.samples) == [0, 1, 2]
    assert len(plan.given) > 3


def test_models_of_other_classes_and_images_without_classes(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    models = [colour_model("one.tflite"), colour_model("two.tflite", labels=("a", "b", "c"))]
    with pytest.raises(ModelError, match="have different labels"):
        plan_evaluation(models, colour_folder)
    flat = next(path for path in sorted(colour_folder.iterdir()) if path.is_dir())
    assert plan_evaluation(models[:1], flat, flat=True).dataset.samples[0].label is None
    with pytest.raises(DataError):
        plan_evaluation(models[:1], flat)


def test_a_model_that_names_no_classes_gets_those_of_the_folders(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    model = colour_model(labels=None, weights=((0, 0, 1), (0, 1, 0), (1, 0, 0)))
    plan = plan_evaluation([model], colour_folder)
    assert plan.labels == ("blue", "green", "red")
    assert any("no labels given" in note for note in plan.given.notes)


def test_labels_beside_the_model_decide_the_order_of_its_classes(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    model = colour_model(labels=None)
    model.with_name("labels.txt").write_text("0 RED\n1 Green\n2 blue\n")
    plan = plan_evaluation([model], colour_folder)
    assert plan.labels == ("RED", "Green", "blue")
    (predictions,) = plan.predict()
    assert predictions.truth is not None
    assert (predictions.scores.argmax(axis=1) == predictions.truth).all()


def test_labels_of_another_model_are_one_line(colour_model: MakeModel, colour_folder: Path) -> None:
    model = colour_model(labels=None)
    file = model.with_name("labels.txt")
    file.write_text("ant\nbee\ncat\n")
    with pytest.raises(DataError, match=r"the labels in .*labels\.txt are of another model"):
        plan_evaluation([model], colour_folder)
    file.write_text("ant\nbee\n")
    plan = plan_evaluation([model], colour_folder)
    assert any("is not used: it has 2 names" in line for line in plan.notices)
