"""Two workers make the run of one machine, go on where one of them was killed, and say in one line
which of them lacks what. Each is the command in a process of its own, as Kubeflow starts them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.trainer import resume, train
from tests.edge_effnet.training.cluster.conftest import outcomes, start_workers

pytestmark = pytest.mark.slow
_CLOSE = 1e-4  # weights of about 1


@pytest.fixture(scope="module")
def everything(config: TrainConfig) -> TrainConfig:
    """60 steps with all that could make workers differ: dropout, mixup and cutmix, class weights, a
    moving average, statistics of batch normalization."""
    return replace(config, class_weights=True, learning_rate=1e-3, epochs=12)


def arguments(config: TrainConfig, folder: Path, run: Path, *more: str) -> list[str]:
    """Of the command that makes a run with a config."""
    folder.mkdir(parents=True, exist_ok=True)
    CONFIG_FILE.write(folder, config)
    return ["train", "--config", str(folder / "config.json"), "--run", str(run), *more]


def assert_same_run(one: Path, other: Path) -> None:
    ours, theirs = read_state(one / "last.state"), read_state(other / "last.state")
    for row, twin in zip(ours.progress.rows, theirs.progress.rows, strict=True):
        assert row.val_accuracy == twin.val_accuracy
        assert row.accuracy == pytest.approx(twin.accuracy, abs=1e-6)
        assert row.loss == pytest.approx(twin.loss, abs=_CLOSE)
        assert row.val_loss == pytest.approx(twin.val_loss, abs=_CLOSE)
    for part in ("model", "optimizer"):
        for left, right in zip(getattr(ours, part), getattr(theirs, part), strict=True):
            np.testing.assert_allclose(left, right, atol=_CLOSE)


def test_two_workers_make_the_run_of_one_and_go_on_after_a_kill(
    everything: TrainConfig, tmp_path: Path
) -> None:
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    train(everything, alone, workers=2)
    assert len(read_state(alone / "last.state").progress.rows) == 12

    # Killed in the middle, started again with the same command.
    command = arguments(everything, tmp_path / "given", shared, "--save-every", "0")
    first = start_workers(command, 2, tmp_path / "first")
    _wait_for(shared / "history.csv", first)
    os.kill(first[1].pid, signal.SIGKILL)
    lost = outcomes(first)
    assert lost[1][0] == -signal.SIGKILL
    assert lost[0][0] == 1
    assert "worker 1 no longer answers worker 0" in lost[0][2]
    assert not read_state(shared / "last.state").progress.finished

    again = outcomes(start_workers(command, 2, tmp_path / "again"))
    assert [code for code, _, _ in again] == [0, 0], again
    assert "it goes on" in again[0][2]
    assert again[1][1] == ""  # one worker shows the result
    assert_same_run(alone, shared)
    # And a run that two began ends on one machine.
    assert resume(shared, workers=1).best.val_accuracy == resume(alone, workers=1).best.val_accuracy


def _wait_for(path: Path, workers: list[subprocess.Popen[str]]) -> None:
    deadline = time.monotonic() + 200
    while not path.is_file():
        assert time.monotonic() < deadline, "no epoch was finished"
        assert all(worker.poll() is None for worker in workers), outcomes(workers)
        time.sleep(0.02)


def test_a_worker_that_sees_other_images_is_named(everything: TrainConfig, tmp_path: Path) -> None:
    """Each worker is started in its own folder, and the data is named from there."""
    for index in range(2):
        shutil.copytree(everything.data, tmp_path / "w" / f"worker{index}" / "colours")
    (tmp_path / "w" / "worker1" / "colours" / "red" / "3.png").unlink()
    command = arguments(replace(everything, data="colours"), tmp_path / "given", tmp_path / "run")
    found = outcomes(start_workers(command, 2, tmp_path / "w"))
    for code, _, errors in found:
        line = errors.strip().splitlines()[-1]
        assert code == 1
        assert "worker 1 on" in line
        assert "has other images in colours than the chief" in line
        assert "1 image missing, such as red/3.png" in line
    assert not (tmp_path / "run" / "history.csv").exists()
