"""Calibration images and evaluation images."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from converters.accuracy.limits import Limits
from converters.accuracy.selection import refuse_void_limits
from converters.calibration.dead_leaves import generated_image
from converters.calibration.images import FEWEST_SPARE, ConversionImages, choose_images
from converters.calibration.representative import Calibration
from edge_effnet.artifact import Card, read_artifact, write_artifact
from edge_effnet.data.division.split import Division, divide, leakage
from edge_effnet.data.division.trained_on import record
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.errors import DataError
from edge_effnet.image.preprocessing import Preprocess
from tests.conftest import RunCommand
from tests.converters.conftest import CLASSES, SIDE, TinyModel, write_image

HOW = Preprocess(32, 32)


def folder(path: Path, counts: dict[str, int], seed: int = 11) -> Path:
    made = 0
    for name, count in counts.items():
        for number in range(count):
            write_image(path / name / f"{number}.png", generated_image(made, seed, 48, 48))
            made += 1
    return path


def chosen(data: Path | None, tmp_path: Path, **more: Any) -> ConversionImages:
    settings: dict[str, Any] = {
        "calibration": None,
        "labels": ("blue", "green", "red"),
        "count": 200,
        "evaluation_count": None,
        "seed": 0,
        "strict": False,
        "scratch": tmp_path,
    }
    return choose_images(HOW, data=data, **(settings | more))


def images_of(calibration: Calibration) -> Any:
    assert calibration.images is not None
    return calibration.images


def test_small_classes_keep_half_of_their_images_for_judging(tmp_path: Path) -> None:
    images = chosen(folder(tmp_path / "data", {"blue": 60, "green": 8, "red": 3}), tmp_path)
    assert images_of(images.calibration).class_counts == {"blue": 30, "green": 4, "red": 1}
    assert images.evaluation.class_counts == {"blue": 30, "green": 4, "red": 2}
    assert any("30 images of 'blue', 2 of 'red'" in line for line in images.warnings)
    with pytest.raises(DataError, match="found 1 of 'red' in the smaller half, too few of 2 cla"):
        refuse_void_limits(Limits(max_class_drop_points=1), images, 0)
    refuse_void_limits(Limits(max_drop_points=1), images, 0)


def test_the_evaluation_set_in_the_end_is_what_is_checked(tmp_path: Path) -> None:
    data = folder(tmp_path / "data", {"blue": 20, "green": 6})
    for path in sorted((data / "green").iterdir()):
        path.rename(path.with_name(f"calibrates-{path.name}"))
    only_blue = tmp_path / "only"
    shutil.copytree(data / "green", only_blue / "green")
    images = chosen(data, tmp_path, calibration=only_blue)
    assert images.evaluation.class_counts == {"blue": 20}
    said = "\n".join(images.warnings)
    assert "6 of 26 images" in said
    assert "of one class, 'blue'" in said
    assert "no image of 'green'" in said
    with pytest.raises(
        DataError, match=r"more than one class, .*20 images.*to evaluate on, all 'blue'"
    ):
        refuse_void_limits(Limits(min_agreement_percent=99), images, 0)
    one = chosen(data, tmp_path, evaluation_count=1)
    assert any("nothing is known about it" in line for line in one.warnings)


def test_halves_that_choose_and_confirm_are_looked_at(tmp_path: Path) -> None:
    """Of 49 and 1 evaluation images, one half is of one class."""
    images = chosen(folder(tmp_path / "data", {"blue": 98, "red": 2}), tmp_path)
    assert images.evaluation.class_counts == {"blue": 49, "red": 1}
    with pytest.raises(DataError, match="in one half of those to evaluate on, all 'blue'"):
        refuse_void_limits(Limits(max_drop_points=5), images, 0)


def test_the_same_folder_given_twice_is_divided(tmp_path: Path) -> None:
    data = folder(tmp_path / "data", {"blue": 12, "green": 12})
    images = chosen(data, tmp_path, calibration=data)
    assert images_of(images.calibration).class_counts == {"blue": 6, "green": 6}
    assert images.evaluation.class_counts == {"blue": 6, "green": 6}
    assert leakage(images_of(images.calibration), images.evaluation) == []


def test_too_few_images_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few images to calibrate and to evaluate on"):
        chosen(folder(tmp_path / "data", {"blue": 1, "green": 1}), tmp_path)


@pytest.fixture
def trained(photos: Path) -> Division:
    return divide(load_dataset(photos), 0.2, 0)


def steps_of(run: Division) -> list[dict[str, Any]]:
    return [{"step": "trained", "data": {"images": record(run.rest, run.evaluation)}}]


def test_images_trained_on_calibrate_and_the_others_evaluate(
    photos: Path, trained: Division, tmp_path: Path
) -> None:
    labels = trained.rest.labels
    images = chosen(photos, tmp_path, labels=labels, steps=steps_of(trained), count=30)
    assert set(images.evaluation.samples) == set(trained.evaluation.samples)
    assert set(images_of(images.calibration).samples) <= set(trained.rest.samples)
    assert images.evaluation_set is not None
    assert images.evaluation_set.is_evidence


def test_no_limit_is_accepted_on_images_trained_on(
    photos: Path, trained: Division, tmp_path: Path
) -> None:
    everything = Division(load_dataset(photos), replace(trained.evaluation, samples=()))
    images = chosen(photos, tmp_path, labels=trained.rest.labels, steps=steps_of(everything))
    assert len(images.evaluation) == 40
    for limits in (Limits(max_drop_points=5), Limits(min_agreement_percent=90)):
        with pytest.raises(DataError, match="a limit needs images that the network was not train"):
            refuse_void_limits(limits, images, 0)
    refuse_void_limits(None, images, 0)
    # Unlabelled photos left over measure agreement: none of those trained on.
    left = chosen(None, tmp_path, calibration=photos, steps=steps_of(trained), count=40)
    assert {sample.path for sample in left.spare} == {s.path for s in trained.evaluation.samples}
    none = chosen(None, tmp_path, calibration=photos, steps=steps_of(everything), count=40)
    assert none.spare == ()


def test_photos_that_do_not_calibrate_measure_agreement(
    edge_effnet: RunCommand, tiny: TinyModel, photos: Path, tmp_path: Path
) -> None:
    images = chosen(None, tmp_path, calibration=photos, count=30)
    calibrating = {sample.path for sample in images_of(images.calibration).samples}
    assert not images.generated
    assert len(images.evaluation) >= FEWEST_SPARE
    assert not calibrating & {sample.path for sample in images.evaluation.samples}
    assert chosen(None, tmp_path, calibration=photos, count=200).generated  # none is left

    model = tmp_path / "tiny-float32.tflite"
    labels = tuple(f"class{index}" for index in range(CLASSES))
    write_artifact(model, tiny.model, Card("tiny", labels, Preprocess(SIDE, SIDE)))
    options = ("convert", "--model", model, "--int8", "--calibration", photos)
    made = edge_effnet(*options, "--calibration-images", 30, "--out", tmp_path / "some")
    assert f"images of {photos}; calibrated on 30" in " ".join(made.stdout.split())
    assert "those photos did not calibrate" in made.stdout
    assert "no evidence" not in made.stdout
    made = edge_effnet(*options, "--out", tmp_path / "all")
    assert "too few photos" in made.stdout
    assert "on generated images is no evidence of accuracy" in made.stdout


def test_convert_says_first_what_it_evaluates_on_and_passes_the_record_on(
    edge_effnet: RunCommand, tiny: TinyModel, photos: Path, trained: Division, tmp_path: Path
) -> None:
    model = tmp_path / "tiny-float32.tflite"
    labels = tuple(f"class{index}" for index in range(CLASSES))
    card = Card("tiny", labels, Preprocess(SIDE, SIDE), steps=tuple(steps_of(trained)))
    write_artifact(model, tiny.model, card)
    out, report = tmp_path / "out", tmp_path / "report.json"
    options = ("convert", "--model", model, "--int8", "--out", out, "--data")
    made = edge_effnet(*options, photos, "--json", report)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("the network was trained on 60 of 80 images")
    assert json.loads(report.read_text())["trained_on"]["held_out"] == 20
    small = read_artifact(out / "tiny-int8.tflite").card
    assert small is not None
    assert small.steps[0] == card.steps[0]

    learned = tmp_path / "learned"
    for sample in trained.rest.samples:
        path = learned / labels[sample.label or 0] / sample.path.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sample.path, path)
    shown = edge_effnet("evaluate", out / "tiny-int8.tflite", "--data", learned)
    assert shown.stdout.startswith("no evidence: the network was trained on all 60 images")
    refused = edge_effnet(*options, learned, "--force", "--max-drop", 50)
    assert refused.returncode == 1
    assert "a limit needs images that the network was not trained on" in refused.stderr
    assert len(load_images(learned)) == 60


def test_few_images_are_no_warning_where_nothing_is_calibrated(tmp_path: Path) -> None:
    data = folder(tmp_path / "data", {"blue": 6, "green": 6, "red": 6})
    warned = [chosen(data, tmp_path, calibrates=says).warnings for says in (True, False)]
    assert ["too few calibration images" in " ".join(lines) for lines in warned] == [True, False]
