"""Models and images that fit each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_effnet.errors import DataError, ModelError
from edge_effnet.runtime.evaluation_plan import plan_evaluation

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
