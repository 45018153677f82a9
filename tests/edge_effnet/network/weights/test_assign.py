"""Weights by layer name: what fits goes in, what does not is named, in one line."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.architecture.variants import IMAGENET_MEAN, IMAGENET_STD, VARIANTS
from edge_effnet.errors import WeightsError
from edge_effnet.image.preprocessing import Preprocess, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights, read_for
from edge_effnet.network.weights.files import LayerWeights

B0, B1 = VARIANTS["b0"], VARIANTS["b1"]


def _weights(model: Any) -> LayerWeights:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


@pytest.fixture(scope="module")
def ten_classes() -> LayerWeights:
    return _weights(build(B0, classes=10, resolution=32))


def test_official_b_files_mean_what_keras_makes_of_them(
    keras: Any,
    shake: Callable[[Any], None],
    write_official: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An official file has the standard deviation where the variance belongs, and
    # weights="imagenet" builds another graph to make up for it.
    published = keras.applications.EfficientNetB0(weights=None)
    shake(published)
    path = tmp_path / "efficientnetb0.h5"
    std_as_variance = [IMAGENET_MEAN, IMAGENET_STD, 0]
    # Keras numbers unnamed layers, so in the file it may be normalization_4.
    layer = next(one.name for one in published.layers if one.name.startswith("normalization"))
    write_official(published, path, {layer: std_as_variance})
    from keras.src.utils import file_utils

    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: str(path))
    theirs = keras.applications.EfficientNetB0(
        weights="imagenet", input_shape=(224, 224, 3), classifier_activation=None
    )
    ours = build(B0, classifier_activation=None)
    load_layer_weights(ours, read_for(ours, path), source=path.name)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    expected = np.asarray(theirs(pixels))
    assert np.abs(np.asarray(ours(pixels)) - expected).max() <= 1e-5 * np.abs(expected).max()
    variance = ours.get_layer("normalization").get_weights()[1]
    np.testing.assert_allclose(variance, np.square(IMAGENET_STD), rtol=1e-6)


@pytest.mark.parametrize(
    ("mean", "variance"),
    [((0, 0, 0), (1, 1, 1)), (IMAGENET_MEAN, tuple(std**2 for std in IMAGENET_STD))],
)
def test_other_normalizations_are_taken_as_they_stand(
    ten_classes: LayerWeights, mean: tuple[float, ...], variance: tuple[float, ...]
) -> None:
    model = build(B0, classes=10, resolution=32)
    values = [np.float32(mean), np.float32(variance), np.array(0)]
    weights = {**ten_classes, "normalization": values}
    load_layer_weights(model, weights, source="FILE")
    for found, given in zip(model.get_layer("normalization").get_weights(), values, strict=True):
        np.testing.assert_array_equal(found, given)


def test_a_file_without_normalization_leaves_the_rows(ten_classes: LayerWeights) -> None:
    model = build(B0, classes=10, resolution=32)
    load_layer_weights(
        model, {k: v for k, v in ten_classes.items() if k != "normalization"}, source="FILE"
    )
    mean, variance, _ = model.get_layer("normalization").get_weights()
    np.testing.assert_allclose(mean, IMAGENET_MEAN, rtol=1e-6)
    np.testing.assert_allclose(variance, np.square(IMAGENET_STD), rtol=1e-6)


def test_a_normalization_that_keras_numbered_is_found(ten_classes: LayerWeights) -> None:
    model = build(B0, classes=10, resolution=32)
    weights = dict(ten_classes)
    weights["normalization_3"] = [np.full(3, 0.25), np.full(3, 4.0), np.array(0)]
    del weights["normalization"]
    load_layer_weights(model, weights, source="FILE")
    assert model.get_layer("normalization").get_weights()[0] == pytest.approx(0.25)


def test_a_larger_network_of_the_same_widths_does_not_load_in_part(
    ten_classes: LayerWeights,
) -> None:
    b1 = _weights(build(B1, classes=10, resolution=32))
    model = build(B0, classes=10, resolution=32)
    before = _weights(model)
    line = r"b1\.h5 does not fit b0; found \d+ layers more than it has, first block1b_dwconv"
    with pytest.raises(WeightsError, match=line):
        load_layer_weights(model, b1, source="b1.h5")
    for name, arrays in _weights(model).items():  # nothing was touched
        for old, new in zip(before[name], arrays, strict=True):
            np.testing.assert_array_equal(old, new)
    line = r"b0\.h5 does not fit b1 at layer block1b_dwconv; found no such layer; expected 3x3x16x1"
    with pytest.raises(WeightsError, match=line):
        load_layer_weights(build(B1, classes=10, resolution=32), ten_classes, source="b0.h5")


def test_a_wrong_width_is_named(ten_classes: LayerWeights) -> None:
    model = build(VARIANTS["b4"], classes=10, resolution=32)
    line = r"at layer stem_conv; found 3x3x3x32; expected 3x3x3x48; to fix: give a file made for b4"
    with pytest.raises(WeightsError, match=line):
        load_layer_weights(model, ten_classes, source="b0.h5")


def test_other_classes_need_a_new_head(ten_classes: LayerWeights) -> None:
    model = build(B0, classes=5, resolution=32)
    line = "another number of classes; found 10 classes; expected 5; to fix: use it with 10 labels"
    with pytest.raises(WeightsError, match=line):
        load_layer_weights(model, ten_classes, source="FILE")
    assert load_layer_weights(model, ten_classes, source="FILE", allow_new_head=True) is False
    np.testing.assert_array_equal(
        model.get_layer("top_conv").get_weights()[0], ten_classes["top_conv"][0]
    )
    headless = {name: arrays for name, arrays in ten_classes.items() if name != "predictions"}
    with pytest.raises(WeightsError, match="at layer predictions; found no such layer"):
        load_layer_weights(model, headless, source="FILE")
    assert load_layer_weights(model, headless, source="FILE", allow_new_head=True) is False


def _images(folder: Path, count: int) -> tuple[np.ndarray[Any, Any], list[int]]:
    with (folder / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))[:: 250 // count][:count]
    how = Preprocess(224, 224)
    pixels = [preprocess(read_image(folder / row["file"]), how) for row in rows]
    return np.stack(pixels).astype(np.float32), [int(row["class_index"]) for row in rows]


def test_real_weights_give_the_scores_of_keras_applications(keras: Any, reference: Path) -> None:
    path = reference / "models" / "efficientnetv2-b0_imagenet.h5"
    ours = build(VARIANTS["v2-b0"])
    load_layer_weights(ours, read_for(ours, path), source=path.name)
    theirs = keras.applications.EfficientNetV2B0(weights=str(path))
    pixels, truth = _images(reference / "images" / "imagenet_val", 25)
    expected = np.asarray(theirs(pixels))
    found = np.asarray(ours(pixels))
    assert np.abs(found - expected).max() <= 1e-5
    assert np.mean(found.argmax(axis=1) == truth) >= 0.6


def test_real_weights_of_ten_classes_load(reference: Path) -> None:
    path = reference / "models" / "b0_imagenette_96.h5"
    model = build(B0, classes=10, resolution=96)
    assert load_layer_weights(model, read_for(model, path), source=path.name)
    with pytest.raises(WeightsError, match="found 10 classes; expected 1000"):
        load_layer_weights(build(B0), read_for(model, path), source=path.name)
