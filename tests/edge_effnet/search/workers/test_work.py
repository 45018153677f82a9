"""One job, and the process that does it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.search.config import CONFIG_FILE, SearchConfig
from edge_effnet.search.workers.job import Job, error_parts, rebuilt
from edge_effnet.search.workers.processes import local_processes
from edge_effnet.search.workers.work import settings_fingerprint, work
from tests.edge_effnet.training.conftest import tiny

__all__ = ["tiny"]  # a fixture

CONFIG = SearchConfig("signs", epochs=2, signs_train=128, signs_val=32, batch_size=64)


@pytest.fixture
def folder(tmp_path: Path, tiny: VariantSpec) -> Path:
    """Of a search."""
    CONFIG_FILE.write(tmp_path, CONFIG)
    (tmp_path / "variants").mkdir()
    write_variant(tmp_path / "variants" / "baseline.json", tiny)
    return tmp_path


def job_in(folder: Path, config: SearchConfig = CONFIG) -> Job:
    return Job(str(folder), settings_fingerprint(config), "baseline", 0, 0, 2)


def test_a_folder_that_this_machine_does_not_see(folder: Path, tmp_path: Path) -> None:
    for job, found in (
        (job_in(tmp_path / "elsewhere"), "found no search.json in it on "),
        (job_in(folder, SearchConfig("signs")), "found another search.json in it on "),
    ):
        kind, parts = work(job, print, lambda: False)
        assert kind == "error"
        assert "is a folder that not all machines see" in str(rebuilt(parts))
        assert found in str(rebuilt(parts))


def test_what_nobody_expects_is_one_line_too(folder: Path) -> None:
    (folder / "variants" / "baseline.json").unlink()
    kind, parts = work(job_in(folder), print, lambda: False)
    assert kind == "error"
    assert "\n" not in str(rebuilt(parts))
    assert "a training failed; found KeyError: 1" in str(rebuilt(error_parts(KeyError(1))))


def test_a_killed_process_is_lost_and_the_next_one_answers(folder: Path) -> None:
    job, told = job_in(folder), []
    with local_processes(1) as pool:
        assert pool.at_once == 1
        for attempt in range(2):
            pool.start(job)
            if attempt == 0:
                os.kill(next(iter(pool._running.values())).pid, signal.SIGKILL)
            while not told or told[-1][1] != "outcome":
                told += pool.events()
            if attempt == 0:
                assert told == [(job, "outcome", ("lost", "SIGKILL"))]
                told = []
    *steps, (_, _, (kind, results)) = told
    assert kind == "done"
    assert steps[-1] == (job, "step", (4, 4))
    assert results["trial"]["epochs"] == 2
    assert results["confirmed"]["images"] == 32
    assert json.loads(json.dumps(results)) == results


def test_memory_limits_how_many_run_at_a_time_unless_the_user_says() -> None:
    with local_processes() as pool, local_processes(3) as fixed:
        for one in (pool, fixed):
            one.make_room(1e15)
        assert (pool.at_once, fixed.at_once) == (1, 3)
