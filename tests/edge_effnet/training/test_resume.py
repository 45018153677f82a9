"""A run that is repeated or resumed is the same run, or says why it cannot be."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import Callbacks
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.run_folder.result import TrainingResult
from edge_effnet.training.trainer import resume
from tests.edge_effnet.training.conftest import run, run_and_stop, same_states


def test_the_same_seed_gives_the_same_run(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    run(config, tmp_path / "twin")
    same_states(finished.folder, tmp_path / "twin")


def test_stopped_in_the_middle_and_resumed_is_the_same_run(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    folder = tmp_path / "stopped"
    run_and_stop(config, folder, asked=9)  # in the middle of the second epoch
    progress = read_state(folder / "last.state").progress
    assert (progress.epoch, progress.step) != (1, 0)
    assert not progress.finished
    outcome = resume(folder, workers=1)
    assert outcome.best.val_accuracy == finished.best.val_accuracy
    same_states(finished.folder, folder)


def test_a_run_of_version_0_1_goes_on(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    run_and_stop(config, tmp_path)
    path = tmp_path / "last.state"
    stored = read_state(path)
    text = json.dumps(
        {
            "format": "edge-effnet training state",
            "version": 1,
            "about": stored.depends_on,
            "progress": asdict(stored.progress),
        }
    ).encode()
    path.unlink()
    with h5py.File(path, "w") as root:
        root["about"] = np.array([text[:1000], text[1000:]])
        for group in ("model", "optimizer"):
            for index, value in enumerate(getattr(stored, group)):
                root[f"{group}/{index}"] = value
    resume(tmp_path, workers=1)
    same_states(finished.folder, tmp_path)


def test_resuming_a_finished_run_does_nothing(finished: TrainingResult) -> None:
    said: list[str] = []
    before = (finished.folder / "last.state").stat().st_mtime_ns
    outcome = resume(finished.folder, workers=1, callbacks=Callbacks(say=said.append))
    assert "is finished" in said[0]
    assert outcome.rows == finished.rows
    assert (finished.folder / "last.state").stat().st_mtime_ns == before


def test_resume_with_another_config_says_which_field(
    finished: TrainingResult, config: TrainConfig
) -> None:
    other = replace(config, batch_size=16, learning_rate=0.5)
    with pytest.raises(UsageProblem) as caught:
        resume(finished.folder, config=other, workers=1)
    assert "batch-size was 8, now 16" in str(caught.value)
    assert "learning-rate was 0.01, now 0.5" in str(caught.value)


def test_changed_images_are_noticed(config: TrainConfig, tmp_path: Path, colours: Path) -> None:
    shutil.copytree(colours, tmp_path / "data")
    run_and_stop(replace(config, data=str(tmp_path / "data")), tmp_path / "run")
    (tmp_path / "data" / "red" / "0.png").unlink()
    with pytest.raises(UsageProblem, match="images were added, removed or replaced"):
        resume(tmp_path / "run", workers=1)
    shutil.copytree(colours / "red", tmp_path / "data" / "yellow")
    with pytest.raises(UsageProblem, match="4 classes in the data, 3 in the run"):
        resume(tmp_path / "run", workers=1)


def test_a_run_without_its_state_keeps_its_weights(
    finished: TrainingResult, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "run")
    (folder / "last.state").unlink()
    with pytest.raises(DataError, match=r"no last.state in it; to fix: .* best.h5 beside it"):
        resume(folder, workers=1)
    assert (folder / "best.h5").read_bytes() == finished.checkpoint.read_bytes()


def test_a_damaged_state_is_refused(finished: TrainingResult, tmp_path: Path) -> None:
    for name in ("config.json", "last.state"):
        (tmp_path / name).write_bytes((finished.folder / name).read_bytes())
    content = (tmp_path / "last.state").read_bytes()
    (tmp_path / "last.state").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="is damaged"):
        resume(tmp_path, workers=1)
    with pytest.raises(DataError, match="is not a training config"):
        resume(tmp_path / "nowhere", workers=1)
