"""Quantization-aware training as a step of a strategy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from converters.accuracy.strategies import STRATEGIES, applicable_strategies
from converters.quantization.candidates import Context
from converters.quantization.qat import training
from converters.quantization.qat.config import QatRun
from converters.quantization.qat.step import Train, can_train
from tests.converters.conftest import TinyModel

BY_NAME = {strategy.name: strategy for strategy in STRATEGIES}


def test_it_is_left_out_where_the_network_cannot_be_trained(mini: TinyModel) -> None:
    foreign = replace(mini.structure.operators[0], name="TANH")
    structure = replace(mini.structure, operators=(*mini.structure.operators, foreign))
    assert can_train(mini.structure, "classes")
    assert not can_train(mini.structure, "labels")  # logits of several labels: no softmax's
    assert not can_train(structure, "classes")
    assert "qat" not in [row.name for row in applicable_strategies(training=None)]
    assert "qat" in [row.name for row in applicable_strategies(training=Train())]


def test_training_that_does_not_help_is_not_taken(
    mini: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruined = {name: (low / 20, high / 20) for name, (low, high) in mini.ranges.items()}
    monkeypatch.setattr(
        training, "train", lambda model, *_, **__: training.Trained(model, ruined, (), 0.0)
    )
    run = QatRun(tmp_path / "qat.state", seed=0, resume=False, stage=lambda *_: lambda _done: None)
    context = Context(mini.model, mini.structure, mini.calibration, "uint8", 1, run)
    assert BY_NAME["qat"].make(context) is BY_NAME["searched"].make(context)
