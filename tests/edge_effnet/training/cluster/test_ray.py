"""The run on Ray: what is wrong with a cluster is one line, and a killed worker is replaced."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.cluster.choice import ClusterChoice
from edge_effnet.errors import MissingExtra, UsageProblem
from edge_effnet.training.cluster.engine import train_on_ray
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import SILENT
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.trainer import train
from tests.edge_effnet.training.cluster.conftest import ROOT, free_addresses
from tests.edge_effnet.training.cluster.test_groups import arguments, assert_same_run

HAS_RAY = importlib.util.find_spec("ray") is not None
with_ray = pytest.mark.skipif(not HAS_RAY, reason="needs Ray: pip install 'edge-effnet[cluster]'")


def on(choice: ClusterChoice, config: TrainConfig, folder: Path) -> None:
    train_on_ray(
        choice,
        config,
        folder,
        resuming=False,
        overwrite=False,
        threads=1,
        save_every_seconds=0,
        callbacks=SILENT,
    )


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_the_line_says_what_to_install(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'edge-effnet\[cluster\]'"):
        on(ClusterChoice("local", 2), config, tmp_path / "run")


@with_ray
def test_without_a_head_node_no_run_folder_is_made(config: TrainConfig, tmp_path: Path) -> None:
    address = free_addresses(1)[0]
    with pytest.raises(UsageProblem, match=f"the head node at {address} does not answer"):
        on(ClusterChoice(f"ray://{address}"), config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@with_ray
@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_the_run_is_that_of_one_machine(
    config: TrainConfig, tmp_path: Path
) -> None:
    config = replace(config, learning_rate=1e-3, epochs=40)
    train(config, tmp_path / "alone", workers=2)
    run = tmp_path / "run"
    more = ("--cluster", "local:2", "--save-every", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "edge_effnet", *arguments(config, tmp_path / "given", run, *more)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        deadline = time.monotonic() + 300
        while not (run / "history.csv").is_file():
            assert time.monotonic() < deadline
            assert command.poll() is None, command.communicate()
            time.sleep(0.05)
        os.kill(_worker_below(command.pid), signal.SIGKILL)
        _, errors = command.communicate(timeout=500)
    assert command.returncode == 0, errors
    assert read_state(run / "last.state").progress.finished
    assert_same_run(tmp_path / "alone", run)


def _worker_below(process: int) -> int:
    """A worker of Ray Train among the processes that a process has started."""
    parents, names = {}, {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                status = (path / "stat").read_text().rsplit(")", 1)[1].split()
                names[int(path.name)] = (path / "cmdline").read_text()
            except OSError:
                continue
            parents[int(path.name)] = int(status[1])

    def below(one: int) -> bool:
        while one in parents:
            one = parents[one]
            if one == process:
                return True
        return False

    return next(one for one, name in names.items() if "TrainWorker" in name and below(one))
