"""Quick layers compute what the plain ones do: scores, gradients, running statistics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_effnet.architecture.scaling import scaled_variant
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import build
from edge_effnet.training.steps.kernels import weight_gradient_5x5, with_quick_kernels

tf = pytest.importorskip("tensorflow")


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(7, 7), (8, 12), (3, 5), (1, 2)])
def test_four_3x3_gradients_make_a_5x5_one(height: int, width: int, stride: int) -> None:
    draw = np.random.default_rng(0).standard_normal
    pixels = draw((2, height, width, 4)).astype(np.float32)
    kernel = tf.constant(draw((5, 5, 4, 1)).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        outputs = tf.nn.depthwise_conv2d(pixels, kernel, [1, stride, stride, 1], "SAME")
        loss = tf.reduce_sum(outputs**2)
    expected = tape.gradient(loss, kernel)
    given = weight_gradient_5x5(tf.constant(pixels), 2 * outputs, stride)
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-4)


def test_a_network_with_quick_kernels_takes_the_same_step() -> None:
    keras = keras_module()
    spec = replace(scaled_variant(-5), drop_connect=0.0, dropout=0.0)
    plain = build(spec, classes=5, resolution=64, classifier_activation=None)
    quick = with_quick_kernels(plain)
    assert [layer.name for layer in quick.layers] == [layer.name for layer in plain.layers]
    random = np.random.default_rng(1)
    pixels = random.uniform(0, 255, (8, 64, 64, 3)).astype(np.float32)
    truth = np.eye(5, dtype=np.float32)[random.integers(0, 5, 8)]
    after = []
    for model in (plain, quick):
        model.compile(
            keras.optimizers.SGD(0.01),
            loss=keras.losses.CategoricalCrossentropy(from_logits=True),
            jit_compile=False,
        )
        before = model.get_weights()
        model.train_on_batch(pixels, truth)
        after.append([new - old for new, old in zip(model.get_weights(), before, strict=True)])
    names = [weight.path for weight in plain.weights]
    moved = 0
    for name, one, other in zip(names, *after, strict=True):
        scale = float(np.abs(one).max())
        moved += scale > 0
        # Gradients pass twenty normalizations over eight images: rounding grows on the way.
        np.testing.assert_allclose(other, one, atol=2e-2 * scale + 1e-6, err_msg=name)
    assert moved > 0.9 * len(names)
