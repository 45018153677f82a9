"""Which network one of timm's files is of, its normalization, and what is refused with which way
out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from converters.float_model.export import pixel_affine
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import WeightsError
from edge_effnet.network.build import build
from edge_effnet.network.weights.checkpoint import describe, save_checkpoint
from edge_effnet.network.weights.pytorch.timm import ARCHITECTURES, open_timm
from edge_effnet.network.weights.resolve import load, resolve_weights
from tests.edge_effnet.network.weights.pytorch.record_timm import ANSWERS

LITE0, B0 = VARIANTS["lite0"], VARIANTS["b0"]
NORMALIZATIONS: dict[str, Any] = json.loads(ANSWERS.read_text())["normalization"]
HALF, GIVEN = [0.5] * 3, {"mean": [0.1, 0.2, 0.3], "std": [1, 2, 3]}


def write_config(folder: Path, architecture: str, **more: Any) -> None:
    text = json.dumps({"architecture": architecture, **more})
    (folder / "config.json").write_text(text)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_the_normalization_is_timms(name: str) -> None:
    """With the tag in the name, and nothing beside the file."""
    spec = VARIANTS[ARCHITECTURES[name.partition(".")[0]]]
    for ending in (name, name.replace(".", "_")):
        found = open_timm(Path(f"nowhere/{ending}.safetensors"), spec)
        assert found.name == name
        stated = found.spec.normalization
        assert stated.scale == 255
        assert [list(stated.mean), list(stated.std)] == NORMALIZATIONS[name]
        assert replace(found.spec, normalization=spec.normalization) == spec


def test_the_table_has_every_variant_once() -> None:
    assert sorted(ARCHITECTURES.values()) == sorted(VARIANTS)
    assert {name.partition(".")[0] for name in NORMALIZATIONS} == set(ARCHITECTURES)


def test_config_json_beside_the_file_says_it_all(tmp_path: Path) -> None:
    arguments = {"num_classes": 2, "in_chans": 3, "global_pool": "avg", "drop_rate": None}
    settings = {"tag": "mine", **GIVEN}
    write_config(
        tmp_path,
        "tf_efficientnet_b0",
        model_args=arguments,
        pretrained_cfg=settings,
        label_names=["cat", "dog"],
    )
    found = open_timm(tmp_path / "model.safetensors", B0)
    assert (found.name, found.labels) == ("tf_efficientnet_b0.mine", ("cat", "dog"))
    assert found.spec.normalization.mean == (0.1, 0.2, 0.3)
    assert found.spec.normalization.std == (1.0, 2.0, 3.0)
    assert found.spec.normalization.stored  # as the row's: a checkpoint keeps its layer


@pytest.mark.parametrize(
    ("file", "config", "said"),
    [
        ("model", None, "does not say which network it is of.*tf_efficientnet_lite0.in1k.safete"),
        ("model", {}, "does not say which network"),
        ("model", {"architecture": ["a"]}, "does not say which network"),
        ("model", "{", "config.json, which says what model.safetensors is, is no JSON"),
        ("tf_efficientnet_lite3", None, "found tf_efficientnet_lite3.*--variant lite3"),
        ("tf_efficientnet_b0_ns", None, "found tf_efficientnet_b0;.*--variant b0"),
        ("efficientnet_lite0.ra_in1k", None, "padding.*take tf_efficientnet_lite0 of hugging"),
        ("tf_efficientnet_b8.ra_in1k", None, "none of the networks here.*pytorch-onnx"),
        ("model", {"architecture": "resnet50"}, "is resnet50, which is none"),
        ("tf_efficientnet_lite0", {"architecture": "tf_efficientnet_b0"}, "contradict each other"),
        ("model", {"architecture": "efficientnet_lite0"}, "has PyTorch's padding"),
        (
            "model",
            {"architecture": "tf_efficientnet_lite0", "model_args": {"bn_eps": 1e-5}},
            "settings of its own.*found 'bn_eps'",
        ),
        (
            "model",
            {"architecture": "tf_efficientnet_lite0", "model_args": {"global_pool": "max"}},
            "found 'global_pool'",
        ),
        (
            "model",
            {"architecture": "tf_efficientnet_lite0", "pretrained_cfg": GIVEN | {"std": [1, 0, 1]}},
            "no usable normalization",
        ),
        (
            "model",
            {"architecture": "tf_efficientnet_lite0", "pretrained_cfg": GIVEN | {"mean": "no"}},
            "no usable normalization",
        ),
    ],
)
def test_what_is_refused(file: str, config: Any, said: str, tmp_path: Path) -> None:
    if config is not None:
        text = config if isinstance(config, str) else json.dumps(config)
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=said):
        open_timm(tmp_path / f"{file}.safetensors", LITE0)


def test_a_name_of_ones_own_does_not_contradict_config_json(tmp_path: Path) -> None:
    write_config(tmp_path, "tf_efficientnet_b0", pretrained_cfg={"tag": "aa_in1k"} | GIVEN)
    found = open_timm(tmp_path / "tf_efficientnet_b0_flowers.safetensors", B0)
    assert found.name == "tf_efficientnet_b0.aa_in1k"
    with pytest.raises(WeightsError, match=r"found tf_efficientnet_b0\.ap_in1k and tf_effic"):
        open_timm(tmp_path / "tf_efficientnet_b0.ap_in1k.safetensors", B0)


@pytest.mark.parametrize("name", ["b0", "v2-b3"])
def test_without_its_tag_a_normalization_is_not_guessed(name: str, tmp_path: Path) -> None:
    architecture = {variant: known for known, variant in ARCHITECTURES.items()}[name]
    path = tmp_path / f"{architecture}.safetensors"
    with pytest.raises(WeightsError, match=r"how its images were normalized.*without a tag"):
        open_timm(path, VARIANTS[name])
    with pytest.raises(WeightsError, match=r"with the tag apples, while timm's files differ"):
        open_timm(tmp_path / f"{architecture}_apples.safetensors", VARIANTS[name])
    write_config(tmp_path, architecture, pretrained_cfg={"mean": HALF, "std": HALF})
    assert open_timm(path, VARIANTS[name]).spec.normalization.mean == tuple(HALF)


def test_classes_are_counted_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tf_efficientnet_lite0.in1k.safetensors"
    save_file({"classifier.weight": np.zeros((4, 1280), np.float32)}, path)
    found = resolve_weights(LITE0, str(path))
    assert (found.classes, found.origin["source"]) == (4, "timm, tf_efficientnet_lite0.in1k")
    write_config(tmp_path, "tf_efficientnet_lite0", label_names=["one"])
    with pytest.raises(WeightsError, match="found 1 label; expected 4"):
        resolve_weights(LITE0, str(path))


def test_what_is_trained_from_it_keeps_its_normalization(tmp_path: Path) -> None:
    """A checkpoint names its variant; the variant's own row has another mean."""
    row = replace(B0, width=0.25, depth=0.25, resolution=32)
    timms = open_timm(Path("nowhere/tf_efficientnet_b0.ap_in1k.safetensors"), B0).spec
    spec = replace(row, normalization=timms.normalization)
    path = tmp_path / "best.h5"
    save_checkpoint(build(spec, classes=2), path, describe(spec, resolution=32))
    found = resolve_weights(row, str(path))
    assert found.spec == spec
    scale, offset = pixel_affine(load(found), found.spec)
    assert np.allclose(scale, 1 / 127.5)
    assert np.allclose(offset, -1)
