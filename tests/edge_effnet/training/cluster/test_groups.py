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
from edge_effnet.training.cluster.group import Group
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.epochs import SILENT, Callbacks
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.run_folder.result import TrainingResult
from edge_effnet.training.trainer import resume, train, train_or_resume
from tests.edge_effnet.training.cluster.conftest import COUNT, on_all, outcomes, start_workers
from tests.edge_effnet.training.conftest import SIDE, draw_colours

pytestmark = pytest.mark.slow
_CLOSE = 1e-4  # weights of about 1


@pytest.fixture(scope="module")
def everything(
    config: TrainConfig, tiny: VariantSpec, tmp_path_factory: pytest.TempPathFactory
) -> TrainConfig:
    """33 steps with all that could make workers differ: dropout, mixup and cutmix, class weights, a
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
        batch_size=4,
        epochs=3,
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


@pytest.fixture(scope="module")
def alone(everything: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """The run of one machine."""
    return train(everything, tmp_path_factory.mktemp("alone") / "run", workers=2)


def test_two_workers_make_the_run_of_one_and_after_a_kill_it_goes_on(
    everything: TrainConfig, alone: TrainingResult, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    command = arguments(everything, tmp_path / "given", shared, "--save-every", "0")
    started = start_workers(command, 2, tmp_path / "workers")
    _wait_for(shared / "history.csv", rows=2, workers=started)  # one epoch of each size
    os.kill(started[1].pid, signal.SIGKILL)
    lost = outcomes(started)
    assert lost[1][0] == -signal.SIGKILL
    assert lost[0][0] == 1
    assert "2 workers, 2 of the 4 images of a step each" in lost[0][2]
    assert "worker 1 no longer answers worker 0" in lost[0][2]
    assert lost[1][1] == ""  # one worker shows what there is to show

    assert not read_state(shared / "last.state").progress.finished
    resume(shared, workers=2)
    assert [row.epoch for row in alone.rows] == [1, 2, 3]
    assert_same_run(alone.folder, shared)


def test_workers_that_are_started_again_with_the_same_command_go_on(
    everything: TrainConfig, alone: TrainingResult
) -> None:
    """Of a finished run nothing is left to do but to read it, so that threads are enough here."""
    said: list[str] = []

    def again(group: Group) -> TrainingResult:
        callbacks = Callbacks(say=said.append) if group.is_chief else SILENT
        return train_or_resume(
            everything, alone.folder, workers=1, callbacks=callbacks, group=group
        )

    assert [result.best for result in on_all(again)] == [alone.best] * COUNT
    assert said[0] == f"{alone.folder} holds this run: it goes on"
    assert said[-1] == f"{alone.folder} is finished: nothing is left to do"


def _wait_for(path: Path, rows: int, workers: list[subprocess.Popen[str]]) -> None:
    deadline = time.monotonic() + 200
    while not (path.is_file() and len(path.read_text().splitlines()) > rows):
        assert time.monotonic() < deadline, f"no {rows} epochs were finished"
        assert all(worker.poll() is None for worker in workers), outcomes(workers)
        time.sleep(0.02)
