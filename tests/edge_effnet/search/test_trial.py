"""A trial that is stopped at an epoch and goes on is the trial that was never stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.search.trial import run_trial
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import SILENT, Callbacks
from tests.edge_effnet.training.conftest import colours, config, same_states, tiny, tiny_file

__all__ = ["colours", "config", "tiny", "tiny_file"]  # fixtures


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """Networks of a few layers and a few steps take less time than TensorFlow's graphs of them."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_a_trial_in_two_parts_is_the_trial_in_one(config: TrainConfig, tmp_path: Path) -> None:
    config = replace(config, epochs=2, batch_size=20, ema=0.0)
    first = run_trial(config, tmp_path / "parts", 1, workers=1, callbacks=SILENT)
    assert first.epochs == 1
    epochs: list[int] = []
    watched = Callbacks(on_epoch=lambda row: epochs.append(row.epoch))
    for _ in range(2):  # the second time there is nothing left to do
        both = run_trial(config, tmp_path / "parts", 2, workers=1, callbacks=watched)
        assert epochs == [2]
    whole = run_trial(config, tmp_path / "whole", 2, workers=1, callbacks=SILENT)
    assert (both.epochs, both.accuracy) == (2, whole.accuracy)
    same_states(tmp_path / "parts", tmp_path / "whole")


def test_a_trial_whose_loss_is_no_number_says_so(config: TrainConfig, tmp_path: Path) -> None:
    config = replace(config, epochs=2, learning_rate=1e6, optimizer="rmsprop", ema=0.0)
    result = run_trial(config, tmp_path / "run", 2, workers=1, callbacks=SILENT)
    assert result.diverged
    assert result.epochs < 2
