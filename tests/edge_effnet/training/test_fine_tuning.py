"""Runs that begin from a checkpoint: of the same classes, of others, of a pruned network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.network.build import build
from edge_effnet.network.weights.checkpoint import describe, peek, save_checkpoint
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import Callbacks
from edge_effnet.training.run_folder.result import TrainingResult
from edge_effnet.training.run_folder.trainer_state import EpochRow
from edge_effnet.training.trainer import resume
from tests.edge_effnet.training.conftest import SIDE, run, run_and_stop


def test_fine_tuning_learns_the_head_first_and_early_stops(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    said: list[str] = []
    told: list[EpochRow] = []
    tuned = replace(
        config,
        weights=str(finished.checkpoint),
        optimizer="rmsprop",
        learning_rate=1e-8,
        class_weights=True,
        ema=0.0,
        patience=2,
        epochs=9,
        half=True,
    )
    outcome = run(
        tuned, tmp_path / "tuned", callbacks=Callbacks(say=said.append, on_epoch=told.append)
    )
    shown, known = said  # the labels are the same: of the classifier, which is kept, nothing
    assert "3 classes: " in shown
    assert "trained on 39 of 48 images" in known
    assert outcome.rows == tuple(told)
    assert outcome.rows[0].epoch == 0
    assert outcome.rows[0].gap is None
    # A learning rate of almost nothing: the first row that is best stays so.
    assert outcome.stopped_early
    assert len(outcome.rows) < 9
    with h5py.File(outcome.checkpoint) as file:
        assert file["stem_conv/stem_conv/kernel"].dtype == np.float16


def test_what_was_done_to_the_weights_before_is_kept(
    config: TrainConfig, tiny: VariantSpec, tmp_path: Path
) -> None:
    """A pruned checkpoint that is trained further was still pruned, resumed or not."""
    pruned = tmp_path / "pruned.h5"
    about = describe(tiny, resolution=SIDE, steps=[{"step": "pruned", "multiple": 8}])
    save_checkpoint(build(tiny, classes=2), pruned, about)
    tuned = replace(config, weights=str(pruned), learn_head=False, epochs=2)
    run_and_stop(tuned, tmp_path / "tuned")
    outcome = resume(tmp_path / "tuned", workers=1)
    assert outcome.best.epoch > 0  # written after the stop
    metadata = peek(outcome.checkpoint).metadata
    assert metadata is not None
    assert [step["step"] for step in metadata["steps"]] == ["pruned", "trained"]
    assert metadata["steps"][0]["multiple"] == 8


def test_other_classes_get_a_new_classifier(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path, colours: Path
) -> None:
    for name in ("blue", "green"):
        (tmp_path / "data" / f"not-{name}").parent.mkdir(exist_ok=True)
        (tmp_path / "data" / f"not-{name}").symlink_to(colours / name)
    said: list[str] = []
    tuned = replace(config, data=str(tmp_path / "data"), weights=str(finished.checkpoint), epochs=0)
    outcome = run(tuned, tmp_path / "tuned", callbacks=Callbacks(say=said.append))
    assert "was made for 3 classes, the data has 2: the classifier is new" in said[-1]
    assert outcome.labels == ("not-blue", "not-green")
    assert outcome.best.epoch == 0
    assert outcome.best.val_accuracy > 0.8
