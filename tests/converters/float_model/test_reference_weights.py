"""On real ImageNet weights, against the bars this project sets itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.config import ConvertConfig
from converters.float_model.variant_source import from_variant
from converters.pipeline import convert
from converters.quantization.recipes import RECIPES
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.data.labels import imagenet_labels
from edge_effnet.data.listing import load_dataset
from edge_effnet.metrics import compare_predictions
from edge_effnet.runtime.evaluating.predict import predict_many


def test_without_any_images_v2_b0_still_agrees_on_92_percent(
    reference: Path, tmp_path: Path
) -> None:
    source = from_variant(
        VARIANTS["v2-b0"],
        weights=str(reference / "models" / "efficientnetv2-b0_imagenet.h5"),
        runs=tmp_path,
        resolution=None,
        labels=None,
        preprocess=None,
    )
    assert source.labels == imagenet_labels()
    config = ConvertConfig(out=tmp_path, recipes=(RECIPES["int8"],), workers=2)
    conversion = convert(source, config)
    assert conversion.images.generated
    photos = load_dataset(reference / "images" / "imagenet_val" / "labels.csv")
    float_file, int8_file = (made.path for made in conversion.made)
    comparison = compare_predictions(*predict_many([float_file, int8_file], photos))
    assert comparison.agreement_percent >= 92
    assert comparison.reference is not None
    assert comparison.reference.top1_percent == pytest.approx(74.0)  # as keras.applications


def test_a_small_head_stays_under_a_third_of_float(reference: Path, tmp_path: Path) -> None:
    source = from_variant(
        VARIANTS["b0"],
        weights=str(reference / "models" / "b0_imagenette_96.h5"),
        runs=tmp_path,
        resolution=96,
        labels=[
            *("tench", "english_springer", "cassette_player", "chain_saw", "church"),
            *("french_horn", "garbage_truck", "gas_pump", "golf_ball", "parachute"),
        ],
        preprocess=None,
    )
    config = ConvertConfig(
        out=tmp_path,
        recipes=(RECIPES["int8"],),
        calibration=reference / "images" / "imagenette" / "train",
        data=reference / "images" / "imagenette" / "val",
        workers=2,
    )
    conversion = convert(source, config)
    reference_file, int8 = conversion.made
    assert int8.size_bytes <= 0.33 * reference_file.size_bytes
    comparison = int8.comparison
    assert comparison is not None
    assert comparison.reference is not None
    assert comparison.reference.top1_percent == pytest.approx(70.9, abs=0.5)
    assert comparison.agreement_percent >= 94.6  # what the stock converter's int8 reaches
