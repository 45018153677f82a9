"""The search: the first strategy that fits wins, and nothing is written where none does."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from converters import limits_step
from converters.accuracy.limits import Limits
from converters.accuracy.strategies import STRATEGIES, Strategy, applicable_strategies
from converters.config import ConvertConfig
from converters.float_model.file_source import from_file
from converters.pipeline import convert
from converters.quantization.qat import training
from converters.quantization.qat.step import Train
from converters.quantization.recipes import RECIPES
from edge_effnet.artifact import Card, read_artifact, write_artifact
from edge_effnet.data.listing import load_images
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.runtime.evaluating.predict import predict
from tests.conftest import RunCommand
from tests.converters.conftest import CLASSES, SIDE, TinyModel

LABELS = tuple(f"class{index}" for index in range(CLASSES))


@pytest.fixture(scope="module")
def model(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny-float32.tflite"
    write_artifact(path, tiny.model, Card("tiny", LABELS, Preprocess(SIDE, SIDE)))
    return path


@pytest.fixture(scope="module")
def known(model: Path, photos: Path) -> Path:
    """The photos, labelled by the float model's own answers: it is always right."""
    images = load_images(photos)
    answers = predict(model, images).answers
    path = photos.parent / f"{photos.name}-known.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "label"])
        for sample, answer in zip(images.samples, answers, strict=True):
            rows.writerow([sample.path.relative_to(path.parent), LABELS[answer]])
    return path


def test_the_first_strategy_that_fits_is_written_and_confirmed(
    edge_effnet: RunCommand, model: Path, known: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = edge_effnet(
        *("convert", "--model", model, "--int8", "--max-drop", 95, "--data", known),
        *("--calibration-images", 20, "--out", out, "--json", "-"),
    )
    assert result.returncode == 0, result.stderr
    search = json.loads(result.stdout)["ladder"]
    assert [rung["rung"]["name"] for rung in search["rungs"]] == [STRATEGIES[0].name]
    assert search["winner"] == STRATEGIES[0].name
    chose, confirmed = search["selection_images"], search["confirmation_images"]
    assert chose + confirmed == 60
    assert chose <= confirmed <= chose + CLASSES  # the larger half of each class confirms
    (limit,) = search["confirmed"]
    assert (limit["name"], limit["limit"], limit["images"]) == ("drop", 95, confirmed)
    card = read_artifact(out / "tiny-int8.tflite").card
    assert card is not None
    assert card.measured is not None
    assert card.measured["n"] == confirmed  # those that chose nothing
    assert card.steps[-1]["rung"]["name"] == STRATEGIES[0].name


@pytest.mark.slow
def test_where_none_fits_nothing_is_written_and_resume_knows_the_trials(
    model: Path, known: Path, tmp_path: Path
) -> None:
    source = from_file(model, labels=None, preprocess=None)
    config = ConvertConfig(
        out=tmp_path / "out",
        recipes=(RECIPES["int8"],),
        data=known,
        calibration_images=12,
        workers=2,
        limits=Limits(min_agreement_percent=101),  # nothing can
    )
    conversion = convert(source, config)
    assert conversion.made == ()
    assert conversion.search is not None
    assert [trial.strategy for trial in conversion.search.trials] == list(
        applicable_strategies(training=Train())
    )
    missed = conversion.search.missed()
    assert missed is not None
    assert missed.exit_code == 1
    best = conversion.search.best.worst.value
    assert missed.what == f"NO INT8 FILE REACHED 101 %: best {best:.1f} %, nothing written"
    assert "--full-integer" not in missed.fix
    left = {path.name for path in config.out.iterdir()}
    assert left == {"tiny-trials.json", "tiny-qat.state"}  # what --resume takes over

    again = convert(source, replace(config, resume=True, force=True))
    assert again.search is not None
    assert all(trial.resumed for trial in again.search.trials)
    assert [replace(t, resumed=False) for t in again.search.trials] == list(
        conversion.search.trials
    )
    assert [made.recipe for made in again.made] == ["float32", "int8"]
    missed = again.search.missed()
    assert missed is not None  # written because asked to, and still missed
    assert (missed.exit_code, missed.what.split(", ")[-1]) == (3, "written all the same")


def test_without_a_float_front_it_is_said_where_one_may_help(
    model: Path, known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quickest(**options: Any) -> tuple[Strategy, ...]:
        return applicable_strategies(**options)[:1]

    monkeypatch.setattr(limits_step, "applicable_strategies", quickest)
    config = ConvertConfig(
        out=tmp_path / "out",
        recipes=(RECIPES["int8"],),
        data=known,
        calibration_images=12,
        limits=Limits(min_agreement_percent=101),
        full_integer=True,
    )
    search = convert(from_file(model, labels=None, preprocess=None), config).search
    assert search is not None
    missed = search.missed()
    assert missed is not None
    assert missed.fix.startswith("leave --full-integer out")


@pytest.mark.slow
def test_labels_teach_training_where_asked(
    model: Path, known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the labels: what the training does with them is tested beside it."""
    taught: list[object] = []
    real = training.train

    def watched(*given: Any, **more: Any) -> training.Trained:
        taught.append((more["labels"], given[3].steps, given[3].label_weight))
        return real(*given, **more)

    def training_alone(**options: Any) -> tuple[Strategy, ...]:
        return tuple(one for one in applicable_strategies(**options) if one.training)

    monkeypatch.setattr(training, "train", watched)
    monkeypatch.setattr(limits_step, "applicable_strategies", training_alone)
    config = ConvertConfig(
        out=tmp_path / "out",
        recipes=(RECIPES["int8"],),
        data=known,
        calibration=known,
        calibration_images=12,
        limits=Limits(min_agreement_percent=101),
        qat_steps=3,
        qat_labels=True,
    )
    conversion = convert(from_file(model, labels=None, preprocess=None), config)
    images = conversion.images.calibration.images
    assert images is not None
    expected = tuple(sample.label for sample in images.samples)
    assert None not in expected
    assert taught == [(expected, 3, 0.3)]


@pytest.mark.parametrize("option", [("--qat-steps", 5), ("--recovery-steps=5",), ("--qat-labels",)])
def test_settings_of_training_need_a_limit(
    edge_effnet: RunCommand, model: Path, tmp_path: Path, option: tuple[object, ...]
) -> None:
    result = edge_effnet("convert", "--model", model, "--int8", *option, "--out", tmp_path)
    assert result.returncode == 2
    name = "--qat-labels" if "--qat-labels" in option else "--qat-steps"
    assert f"{name} is for a limit" in result.stderr


def test_a_class_limit_needs_labels(
    edge_effnet: RunCommand, model: Path, photos: Path, tmp_path: Path
) -> None:
    options = ("convert", "--model", model, "--int8", "--max-class-drop", 0, "--out", tmp_path)
    wrong = edge_effnet(*options, "--calibration", photos)
    assert wrong.returncode == 2
    assert "--data" in wrong.stderr
    assert not list(tmp_path.iterdir())


def test_limits_are_for_int8_alone(edge_effnet: RunCommand, model: Path, tmp_path: Path) -> None:
    result = edge_effnet(
        *("convert", "--model", model, "--int8", "--float16", "--min-agreement", 99),
        *("--out", tmp_path),
    )
    assert result.returncode == 2
    assert "--int8 and --float16" in result.stderr


def test_a_limit_without_photos_is_refused(
    edge_effnet: RunCommand, model: Path, tmp_path: Path
) -> None:
    result = edge_effnet("convert", "--model", model, "--int8", "--max-drop", 1, "--out", tmp_path)
    assert result.returncode == 1
    assert "a limit needs photos" in result.stderr
    assert not list(tmp_path.iterdir())


def test_float_at_chance_is_refused_with_its_reason(
    edge_effnet: RunCommand, model: Path, photos: Path, tmp_path: Path
) -> None:
    # The folders' classes mean nothing to random weights.
    result = edge_effnet(
        *("convert", "--model", model, "--int8", "--max-drop", 1, "--data", photos),
        *("--calibration-images", 20, "--out", tmp_path),
    )
    assert result.returncode == 1
    assert "no better than chance" in result.stderr
    assert "--preprocess" in result.stderr
    assert not list(tmp_path.glob("*.tflite"))


@pytest.mark.slow
def test_a_file_without_int8_kernels_is_only_written_where_asked_for(
    edge_effnet: RunCommand, model: Path, known: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = ("convert", "--model", model, "--int8", "--min-agreement", 100, "--data", known)
    few = ("--calibration-images", 12, "--qat-steps", 1, "--out", out)
    result = edge_effnet(*asked, *few)
    assert result.returncode == 1
    assert "note: at most 3 tries (bias, searched, qat) on " in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("error: NO INT8 FILE REACHED 100 %: best ")
    assert not list(out.glob("*.tflite"))
    result = edge_effnet(*asked, *few, "--fallback", "float16", "--resume")
    assert result.returncode == 0, result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("NO INT8 FILE REACHED 100 %: best ")
    assert "float16 written instead, as --fallback asks" in last
    assert {path.name for path in out.glob("*.tflite")} == {
        "tiny-float32.tflite",
        "tiny-float16.tflite",
    }
