"""A run that fails keeps the checkpoints it wrote before."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.errors import EdgeEffnetError, OutputError
from edge_effnet.network.weights.checkpoint import peek
from edge_effnet.training import epochs as loop
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import Callbacks
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.run_folder.trainer_state import EpochRow
from tests.edge_effnet.training.conftest import run


def test_a_loss_that_is_no_number_stops_the_run(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = loop.learning_rate

    def explode(step: int, **how: Any) -> float:
        return 1e30 if step >= 7 else rates(step, **how)

    monkeypatch.setattr(loop, "learning_rate", explode)
    with pytest.raises(EdgeEffnetError) as caught:
        run(replace(config, ema=0.0), tmp_path / "run")
    assert "NaN or infinity at step" in str(caught.value)
    assert "in epoch 2; best.h5 of epoch 1" in str(caught.value)
    assert "--learning-rate" in caught.value.fix
    assert read_state(tmp_path / "run" / "last.state").progress.epoch == 2
    assert peek(tmp_path / "run" / "best.h5").classes == 3


def test_a_full_disk_leaves_the_checkpoints_before_it(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    kept: dict[str, bytes] = {}

    def fill(row: EpochRow) -> None:
        if row.epoch == 2:
            kept.update({path.name: path.read_bytes() for path in folder.iterdir()})

            def full(_descriptor: int) -> None:
                raise OSError(28, "No space left on device")

            monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OutputError, match="No space left on device"):
        run(config, folder, callbacks=Callbacks(on_epoch=fill))
    monkeypatch.undo()
    assert (folder / "last.state").read_bytes() == kept["last.state"]
    assert peek(folder / "best.h5").classes == 3
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert read_state(folder / "last.state").progress.epoch == 3
