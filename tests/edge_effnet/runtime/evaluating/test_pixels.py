"""How pixels become the input of the models that are evaluated together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.camera.setup.models import open_models
from edge_effnet.camera.setup.options import CameraOptions
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.errors import ModelError
from edge_effnet.image.preprocess_text import preprocess_text
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.evaluating.pixels import settle_pixels
from edge_effnet.runtime.evaluating.plan import plan_evaluation
from edge_effnet.runtime.input_pixels.known import InputPixels
from edge_effnet.stages import Advance
from tests.edge_effnet.runtime.input_pixels.conftest import COLOURS, colour_photos, make_network

__all__ = ["colour_photos"]


def written(folder: Path, name: str, model: bytes) -> Path:
    (folder / name).write_bytes(model)
    return folder / name


def settled(paths: Sequence[Path], photos: Path, *, labelled: bool = True) -> list[InputPixels]:
    models = [open_classifier(path, labels=COLOURS, ask=False) for path in paths]
    data = load_dataset(photos, labels=COLOURS) if labelled else load_images(photos)
    return settle_pixels(models, data, workers=2)


def test_two_files_of_one_network_get_the_same(tmp_path: Path, colour_photos: Path) -> None:
    plain = written(tmp_path, "float.tflite", make_network(gain=30.0))
    stated = make_network(gain=30.0, quantized=("uint8", 1 / 255, 0))
    small = written(tmp_path, "int8.tflite", stated)
    first, second = settled([plain, small], colour_photos)
    assert preprocess_text(first.settings) == preprocess_text(second.settings) == "unit,fit=squash"
    assert first.notices == ("float.tflite: pixels become its input as they do for int8.tflite",)
    assert "found from the scale of its input tensor" in second.notices[0]


def test_networks_of_one_architecture_are_not_one_network(
    tmp_path: Path, colour_photos: Path
) -> None:
    quantized = ("int8", 1 / 255, -128)
    one = written(tmp_path, "a.tflite", make_network(quantized=quantized, channels=(0, 1, 2)))
    other = written(tmp_path, "b.tflite", make_network(before=[("MUL", 1 / 255)]))
    first, second = settled([one, other], colour_photos / "red", labelled=False)
    assert preprocess_text(first.settings) == "unit,fit=squash"
    assert preprocess_text(second.settings) == "raw,fit=squash"
    assert "found from a rescaling inside the network" in second.notices[0]


def test_what_a_file_states_stays_its_own_scaling(tmp_path: Path, colour_photos: Path) -> None:
    small = make_network(quantized=("int8", 1 / 255, -128), gain=30.0)
    stated = written(tmp_path, "stated.tflite", small)
    told = open_classifier(
        written(tmp_path, "told.tflite", make_network(gain=30.0)),
        labels=COLOURS,
        preprocess="tf,fit=crop,channels=bgr",
    )
    own = open_classifier(stated, labels=COLOURS, ask=False)
    first, second = settle_pixels([told, own], load_dataset(colour_photos), workers=2)
    assert preprocess_text(first.settings) == "tf,crop=1,channels=bgr"
    assert preprocess_text(second.settings) == "unit,crop=1,channels=bgr"
    assert (
        "the scale of its input tensor, fit and channels as for told.tflite" in (second.notices[0])
    )


def test_a_camera_feeds_two_files_of_one_network_the_same(tmp_path: Path) -> None:
    plain = written(tmp_path, "float.tflite", make_network(gain=30.0))
    stated = make_network(gain=30.0, quantized=("uint8", 1 / 255, 0))
    small = written(tmp_path, "int8.tflite", stated)
    models = open_models(CameraOptions(model=small, compare=plain))
    assert models.reference is not None
    assert models.reference.path == plain
    assert models.reference.preprocess == models.model.preprocess
    assert preprocess_text(models.model.preprocess) == "unit,fit=squash"
    with pytest.raises(ModelError, match="does not say how pixels become its input"):
        open_models(CameraOptions(model=plain))


@pytest.mark.parametrize("turned", [False, True])
def test_a_file_of_the_wrong_range_keeps_its_own(
    tmp_path: Path, colour_photos: Path, turned: bool
) -> None:
    names: dict[str, Any] = {
        "input_name": "sequential_1_input",
        "layer_name": "sequential_3/dense_Dense2",
    }
    plain = written(tmp_path, "model_unquant.tflite", make_network(**names))
    stored = make_network(**names, quantized=("uint8", 1 / 255, 0))
    files = [plain, written(tmp_path, "model.tflite", stored)]
    pixels = settled(files[::-1] if turned else files, colour_photos / "red", labelled=False)
    first, second = pixels[::-1] if turned else pixels
    assert preprocess_text(first.settings) == "tf,crop=1"
    assert preprocess_text(second.settings) == "unit,crop=1"
    assert "quantized it with the wrong range" in second.notices[-1]


def test_a_file_that_does_not_say_is_refused_without_labels(
    tmp_path: Path, colour_photos: Path
) -> None:
    plain = written(tmp_path, "float.tflite", make_network(gain=30.0))
    with pytest.raises(ModelError, match="does not say how pixels become its input"):
        settled([plain], colour_photos / "red", labelled=False)


def test_labels_that_fit_nothing_are_named_in_the_refusal(
    tmp_path: Path, colour_photos: Path
) -> None:
    plain = written(tmp_path, "float.tflite", make_network(gain=0.0))
    with pytest.raises(
        ModelError, match="36 labelled photos are answered no better than chance may explain"
    ):
        settled([plain], colour_photos)


def test_too_few_labels_are_named_in_the_refusal(tmp_path: Path, colour_photos: Path) -> None:
    plain = written(tmp_path, "float.tflite", make_network(gain=30.0))
    for photo in colour_photos.rglob("*.png"):
        if int(photo.stem) > 1:
            photo.unlink()
    with pytest.raises(ModelError, match="6 labelled photos are too few: 8 are needed"):
        settled([plain], colour_photos)


def test_a_stage_says_that_photos_are_tried(tmp_path: Path, colour_photos: Path) -> None:
    started: list[str] = []

    def stage(name: str, _steps: int | None) -> Advance:
        started.append(name)
        return lambda _done: None

    plain = written(tmp_path, "float.tflite", make_network(gain=30.0))
    plan_evaluation([plain], colour_photos, labels=COLOURS, stage=stage)
    plan_evaluation([plain], colour_photos, labels=COLOURS, preprocess="unit", stage=stage)
    assert started == ["trying on photos how pixels become the input"]


def test_a_plan_says_what_was_found_and_uses_it(tmp_path: Path, colour_photos: Path) -> None:
    turned = written(tmp_path, "bgr.tflite", make_network(channels=(0, 1, 2), gain=30.0))
    plan = plan_evaluation([turned], colour_photos, labels=COLOURS)
    assert plan.preprocessing[0].channels == "bgr"
    assert "in B, G, R order" in plan.notices[0]
    assert "found from trying the usual ways on 36 labelled photos" in plan.notices[0]
    (predictions,) = plan.predict(workers=1)
    assert predictions.truth is not None
    assert (predictions.scores.argmax(axis=1) == predictions.truth).all()


def test_what_the_user_says_is_not_tried(tmp_path: Path, colour_photos: Path) -> None:
    plain = written(tmp_path, "float.tflite", make_network(gain=30.0))
    plan = plan_evaluation([plain], colour_photos, labels=COLOURS, preprocess="tf")
    assert preprocess_text(plan.preprocessing[0]) == "tf,fit=squash"
    assert plan.notices == ()
