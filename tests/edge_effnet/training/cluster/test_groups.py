"""Two workers make the run of one machine, and go on where one of them was killed. Each is the
command in a process of its own, as Kubeflow starts them. What they miss: ``test_agreement``."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.network.build import build
from edge_effnet.network.weights.checkpoint import describe, save_checkpoint
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.trainer import train
from tests.edge_effnet.training.cluster.conftest import outcomes, start_workers
from tests.edge_effnet.training.conftest import SIDE, draw_colours

pytestmark = pytest.mark.slow
_CLOSE = 1e-4  # weights of about 1


@pytest.fixture(scope="module")
def everything(
    config: TrainConfig, tiny: VariantSpec, tmp_path_factory: pytest.TempPathFactory
) -> TrainConfig:
    """24 steps with all that could make workers differ: dropout, mixup and cutmix, class weights, a
    moving average, statistics of batch normalization, a teacher, images without labels, and images
    that grow."""
    folder = tmp_path_factory.mktemp("everything")
    network = build(tiny, classes=3, resolution=SIDE, classifier_activation=None)
    labels = ("blue", "green", "red")
    described = describe(tiny, resolution=SIDE, labels=labels, steps=[])
    save_checkpoint(network, folder / "teacher.h5", described)
    return replace(
        config,
        teacher=str(folder / "teacher.h5"),
        unlabelled=str(draw_colours(folder / "more", 1, seed=8)),
        progressive=f"{SIDE // 2}:{SIDE}",
        class_weights=True,
        learning_rate=1e-3,
        epochs=4,
    )


def arguments(config: TrainConfig, folder: Path, run: Path, *more: str) -> list[str]:
    """Of the command that makes a run with a config."""
    folder.mkdir(parents=True, exist_ok=True)
    CONFIG_FILE.write(folder, config)
    return ["train", "--config", str(folder / "config.json"), "--run", str(run), *more]


def assert_same_run(one: Path, other: Path) -> None:
    ours, theirs = read_state(one / "last.state"), read_state(other / "last.state")
    assert ours.progress.teacher_accuracy == theirs.progress.teacher_accuracy
    assert ours.progress.best_epoch == theirs.progress.best_epoch
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
    assert [row.epoch for row in read_state(alone / "last.state").progress.rows] == [1, 2, 3, 4]

    # Killed when the images have grown, started again with the same command.
    command = arguments(everything, tmp_path / "given", shared, "--save-every", "0")
    first = start_workers(command, 2, tmp_path / "first")
    _wait_for(shared / "history.csv", rows=2, workers=first)
    os.kill(first[1].pid, signal.SIGKILL)
    lost = outcomes(first)
    assert lost[1][0] == -signal.SIGKILL
    assert lost[0][0] == 1
    assert "worker 1 no longer answers worker 0" in lost[0][2]
    assert "2 workers, 4 of the 8 images of a step each" in lost[0][2]
    assert not read_state(shared / "last.state").progress.finished

    again = outcomes(start_workers(command, 2, tmp_path / "again"))
    assert [code for code, _, _ in again] == [0, 0], again
    assert "it goes on" in again[0][2]
    assert again[1][1] == ""  # one worker shows the result
    assert_same_run(alone, shared)


def _wait_for(path: Path, rows: int, workers: list[subprocess.Popen[str]]) -> None:
    deadline = time.monotonic() + 200
    while not (path.is_file() and len(path.read_text().splitlines()) > rows):
        assert time.monotonic() < deadline, f"no {rows} epochs were finished"
        assert all(worker.poll() is None for worker in workers), outcomes(workers)
        time.sleep(0.02)
