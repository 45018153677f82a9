"""timm's networks with the same weights give the same answers, as recorded by ``record_timm``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from edge_effnet.architecture.topology import NetworkOperator, operators
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.network.weights.pytorch.pytorch_names import TIMM, modules
from edge_effnet.network.weights.pytorch.timm import ARCHITECTURES
from edge_effnet.network.weights.resolve import load, resolve_weights
from tests.edge_effnet.network.weights.pytorch.drawn_weights import SIDE, drawn, drawn_pixels
from tests.edge_effnet.network.weights.pytorch.record_timm import ANSWERS, fingerprint

RECORDED: dict[str, Any] = json.loads(ANSWERS.read_text())
MODELS: dict[str, Any] = RECORDED["models"]


def tensor_shapes(variant: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of timm's tensors, from our list of operators."""
    return {
        f"{module}.{part}": shape
        for layer, module in modules(VARIANTS[variant], TIMM)
        for part, shape in _parts(layer)
    }


def _parts(layer: NetworkOperator) -> list[tuple[str, tuple[int, ...]]]:
    out, given, side = layer.channels, layer.channels_in, layer.kernel
    if layer.kind == "batch_norm":
        return [(part, (out,)) for part in ("weight", "bias", "running_mean", "running_var")]
    kernel = {
        "conv": (out, given, side, side),
        "depthwise": (out, 1, side, side),
        "dense": (out, given),
    }[layer.kind]
    return [("weight", kernel), *([("bias", (out,))] if layer.bias else [])]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_tensor_of_timms_has_its_layer(name: str) -> None:
    variant = ARCHITECTURES[name]
    assert fingerprint(tensor_shapes(variant)) == MODELS[name]["tensors"]
    assert len(operators(VARIANTS[variant])) > 50


@pytest.mark.parametrize(
    "name",
    [
        "tf_efficientnet_lite0",
        "tf_efficientnet_lite3",
        "tf_efficientnet_b0",
        "tf_efficientnet_es",
        "tf_efficientnetv2_b0",
    ],
)
def test_the_answers_are_timms(name: str, tmp_path: Path) -> None:
    """All 23 agreed within 1e-6 of the largest logit; here are Lite3 and the smallest ones."""
    recorded, variant = MODELS[name], ARCHITECTURES[name]
    state = {one: drawn(one, shape) for one, shape in tensor_shapes(variant).items()}
    state["bn1.num_batches_tracked"] = np.array(0)
    path = tmp_path / f"{name}.{recorded['tag']}.safetensors"
    save_file(state, path)
    found = resolve_weights(VARIANTS[variant], str(path))
    network = load(found, resolution=SIDE, classifier_activation=None)
    logits = network.predict_on_batch(drawn_pixels().astype(np.float32))[0]
    close = 1e-5 * recorded["largest"]
    assert abs(np.abs(logits).max() - recorded["largest"]) < close
    assert np.abs(logits[::100] - recorded["logits"]).max() < close
