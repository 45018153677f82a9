"""The networks: as large as published, and the same function as ``keras.applications``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge_effnet.architecture.spec import BlockSpec, network_plan
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import MissingExtra, UsageProblem
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights


@pytest.mark.parametrize(
    ("name", "keras_name", "side"),
    [
        ("b0", "EfficientNetB0", 64),
        ("b0", "EfficientNetB0", 257),  # odd at the stem
        ("b2", "EfficientNetB2", 65),
        ("b7", "EfficientNetB7", 66),  # odd in the second stage
        ("v2-b0", "EfficientNetV2B0", 65),
        ("v2-b2", "EfficientNetV2B2", 64),
        ("v2-s", "EfficientNetV2S", 66),
    ],
)
def test_the_same_weights_give_the_same_scores_as_keras_applications(
    keras: Any, shake: Callable[[Any], None], name: str, keras_name: str, side: int
) -> None:
    theirs = getattr(keras.applications, keras_name)(
        weights=None, input_shape=(side, side, 3), classifier_activation=None
    )
    shake(theirs)
    ours = build(VARIANTS[name], resolution=side, classifier_activation=None)
    weights = {layer.name: layer.get_weights() for layer in theirs.layers if layer.weights}
    load_layer_weights(ours, weights, source=keras_name)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, side, side, 3)).astype(np.float32)
    expected, found = np.asarray(theirs(pixels)), np.asarray(ours(pixels))
    assert np.std(expected) > 1e-3  # logits that say something
    assert np.abs(found - expected).max() <= 1e-5 * max(1.0, float(np.abs(expected).max()))


def test_an_export_with_batch_1_has_no_shape_arithmetic(keras: Any) -> None:
    import tensorflow as tf

    if keras.config.backend() != "tensorflow":
        pytest.skip("the exported graph is TensorFlow's")
    for name in ("b0", "v2-b0", "lite0", "edgetpu-s"):
        model = build(VARIANTS[name], resolution=64, batch_size=1)
        traced = tf.function(lambda x, model=model: model(x, training=False))
        graph = traced.get_concrete_function(tf.TensorSpec((1, 64, 64, 3))).graph
        operations = graph.get_operations()
        assert not {op.type for op in operations} & {"Shape", "StridedSlice", "Pack", "Pad"}, name
        # Biases are reshaped; they are constants to a converter.
        reshaped = {op.inputs[0].op.type for op in operations if op.type == "Reshape"}
        assert reshaped <= {"ReadVariableOp"}, name


def test_a_row_with_explicit_widths_is_an_ordinary_row() -> None:
    blocks = (
        BlockSpec("block1a", "mbconv", 3, 1, 16, 16, 3, 8, expand=False, skip=False),
        BlockSpec("block2a", "mbconv", 5, 2, 8, 41, 5, 12, expand=True, skip=False),
        BlockSpec("block2b", "fused", 3, 1, 12, 31, 0, 12, expand=True, skip=True),
        BlockSpec("block2c", "fused", 3, 1, 12, 12, 0, 12, expand=False, skip=True),
    )
    spec = replace(VARIANTS["b0"], name="pruned", blocks=blocks, stem_width=16, head_width=50)
    model = build(spec, classes=4, resolution=33)
    assert model.output_shape == (None, 4)
    assert model.get_layer("block2a_dwconv").output.shape[-1] == 41
    assert model.get_layer("block2a_se_reduce").output.shape[1:] == (1, 1, 5)
    assert model.get_layer("block2c_project_activation").output.shape[-1] == 12
    assert model.get_layer("top_conv").output.shape[-1] == 50


def test_names_follow_the_family() -> None:
    def names(variant: str) -> set[str]:
        return {layer.name for layer in build(VARIANTS[variant], resolution=32).layers}

    assert {"stem_conv", "block2a_dwconv", "block2a_se_squeeze", "block2b_add"} <= names("b0")
    assert {"block4a_dwconv2", "block1a_project_activation", "avg_pool"} <= names("v2-b0")
    assert not any("_se_" in name for name in names("lite0") | names("edgetpu-s"))
    assert "block1a_add" not in names("edgetpu-s")  # the first stage has no skip


def test_deeper_blocks_are_dropped_more_often() -> None:
    for name in ("b0", "v2-b1"):
        spec = VARIANTS[name]
        model, blocks = build(spec, resolution=32), network_plan(spec).blocks
        rates = {layer.name: layer.rate for layer in model.layers if "_drop" in layer.name}
        del rates["top_dropout"]
        assert rates == {
            f"{block.name}_drop": pytest.approx(0.2 * index / len(blocks))
            for index, block in enumerate(blocks)
            if block.skip
        }


@pytest.mark.parametrize("name", ["b0", "lite0", "edgetpu-s", "v2-b0", "v2-s"])
def test_pixels_are_normalized_as_the_row_says(keras: Any, name: str) -> None:
    spec = VARIANTS[name]
    model = build(spec, resolution=32)
    before_stem = keras.Model(model.input, model.get_layer("stem_conv").input)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    how = spec.normalization
    expected = (pixels / how.scale - how.mean) / how.std
    np.testing.assert_allclose(np.asarray(before_stem(pixels)), expected, atol=2e-6)


def test_mixed_precision_computes_in_half_and_scores_in_full(keras: Any) -> None:
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build(VARIANTS["v2-b0"], resolution=32, classes=5)
    finally:
        keras.config.set_dtype_policy(policy)
    assert model.get_layer("block4a_dwconv2").compute_dtype == "bfloat16"
    scores = np.asarray(model(np.full((2, 32, 32, 3), 100, np.float32)))
    assert scores.dtype == np.float32
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_the_softmax_can_be_left_off() -> None:
    model = build(VARIANTS["lite0"], resolution=32, classes=3, classifier_activation=None)
    assert model.get_layer("predictions").activation.__name__ == "linear"


@pytest.mark.parametrize("options", [{"classes": 0}, {"resolution": 0}, {"batch_size": -1}])
def test_counts_must_be_positive(options: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem, match="must be positive; found"):
        build(VARIANTS["b0"], **options)


def test_without_keras_the_answer_is_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(MissingExtra, match=r"needs tensorflow.*pip install 'edge-effnet\[train\]"):
        build(VARIANTS["b0"])


@pytest.mark.parametrize("name", ["b0-phi+1", "+1", "my néts/2", ""])
def test_a_network_of_any_name_can_be_called_in_a_graph(keras: Any, name: str) -> None:
    import tensorflow as tf

    block = BlockSpec("block1a", "mbconv", 3, 2, 8, 8, 2, 4, expand=True, skip=False)
    spec = replace(VARIANTS["b0"], name=name, blocks=(block,), stem_width=8, head_width=8)
    model = build(spec, classes=3, resolution=16)
    scores = tf.function(model)(np.zeros((1, 16, 16, 3), np.float32))
    assert keras.ops.shape(scores) == (1, 3)
