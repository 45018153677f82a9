"""The optimizer follows the paper, and its average of the weights forgets its beginning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_effnet.network.backend import keras_module
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.initialize import make_optimizer


def test_rmsprop_is_the_papers(config: TrainConfig) -> None:
    keras = keras_module()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    optimizer = make_optimizer(model, replace(config, optimizer="rmsprop", ema=0.0))
    assert (optimizer.rho, optimizer.momentum, optimizer.epsilon) == (0.9, 0.9, 1e-3)
    assert not optimizer.use_ema


def test_the_average_forgets_its_beginning(config: TrainConfig) -> None:
    keras = keras_module()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    optimizer = make_optimizer(model, replace(config, ema=0.999, weight_decay=0.0))
    model.compile(optimizer, loss="mse", jit_compile=False)
    average, _ = optimizer._model_variables_moving_average
    expected = np.asarray(model.layers[0].kernel)
    np.testing.assert_array_equal(np.asarray(average), expected)
    for step in range(5):
        optimizer.learning_rate = 0.1
        model.train_on_batch(np.ones((4, 4), np.float32), np.zeros((4, 2), np.float32))
        value, decay = np.asarray(model.layers[0].kernel), (1 + step) / (10 + step)
        expected = decay * expected + (1 - decay) * value
    np.testing.assert_allclose(np.asarray(average), expected, rtol=1e-5)
