"""A search on Ray comes to what it comes to on this machine, also where a worker is killed."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.cluster.choice import ClusterChoice
from edge_effnet.errors import UsageProblem
from edge_effnet.search.config import SearchConfig
from edge_effnet.search.run import Watcher, search
from edge_effnet.search.workers.on_ray import (
    Board,
    ray_workers,
    shares,
)
from edge_effnet.search.workers.processes import local_processes
from edge_effnet.training.epochs import Callbacks
from tests.edge_effnet.commands.search.networks import small, small_file

__all__ = ["small", "small_file"]  # fixtures

HAS_RAY = importlib.util.find_spec("ray") is not None
with_ray = pytest.mark.skipif(not HAS_RAY, reason="needs Ray: pip install 'edge-effnet[cluster]'")


def test_what_is_told_is_taken_once() -> None:
    board, job = Board(), Any
    board.tell(job, "step", (1, 2))  # type: ignore[arg-type]
    assert board.take() == [(job, "step", (1, 2))]
    assert board.take() == []
    assert not board.stopping()
    board.stop()
    assert board.stopping()


def test_a_job_for_each_core_or_gpu() -> None:
    anywhere = ClusterChoice("auto")
    assert shares({"CPU": 6.0}, anywhere) == (6, 0)
    assert shares({"CPU": 6.0, "GPU": 2.0}, anywhere) == (2, 1)
    assert shares({"CPU": 6.0}, ClusterChoice("auto", 3)) == (3, 0)
    assert shares({"CPU": 6.0, "GPU": 2.0}, ClusterChoice("local", 2)) == (2, 1)
    assert shares({"CPU": 6.0, "GPU": 2.0}, ClusterChoice("local", 3)) == (3, 0)
    with pytest.raises(UsageProblem, match="fewer workers than asked for; found 2 CPU cores"):
        shares({"CPU": 2.0}, ClusterChoice("auto", 5))
    with pytest.raises(UsageProblem, match="found 0 CPU cores; expected 1, one for each"):
        shares({}, anywhere)


@with_ray
@pytest.mark.slow
def test_a_search_on_ray_is_that_of_this_machine_though_a_worker_is_killed(
    tmp_path: Path, small_file: Path
) -> None:
    config = SearchConfig(
        "signs", base_variant=str(small_file), phi=-2.0, grid=4, epochs=2, seeds=1, finalists=1,
        signs_train=1024, signs_val=64, learning_rate=0.01,
    )  # fmt: skip
    with local_processes(2) as pool:
        alone = search(config, tmp_path / "alone", pool=pool, watcher=Watcher())
    said: list[str] = []
    killed: list[int] = []

    def kill_one() -> bool:
        if not killed and list(tmp_path.glob("ray/trials/*/last.state")):
            killed.append(_a_task())
            os.kill(killed[0], signal.SIGKILL)
        return False

    with ray_workers(ClusterChoice("local", 2)) as workers:
        watcher = Watcher(Callbacks(say=said.append, stop=kill_one))
        spread = search(config, tmp_path / "ray", pool=workers, watcher=watcher)
    assert killed
    assert any("its worker was lost" in line for line in said), said
    assert spread.gain == alone.gain
    assert {one.name: one.chosen_by for one in spread.points} == {
        one.name: one.chosen_by for one in alone.points
    }
    assert _wrong(tmp_path / "ray") == _wrong(tmp_path / "alone")


def _a_task() -> int:
    """The process of a task of this process's own cluster."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if b"ray::task" in (path / "cmdline").read_bytes() and _below(int(path.name)):
                    return int(path.name)
            except OSError:
                continue
        time.sleep(0.05)
    raise AssertionError("no task of Ray")


def _below(process: int) -> bool:
    while process > 1:
        process = int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
        if process == os.getpid():
            return True
    return False


def _wrong(folder: Path) -> dict[str, Any]:
    steps = json.loads((folder / "trials.json").read_text())
    return {name: value for name, value in steps.items() if "wrong" in name}
