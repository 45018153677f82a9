"""Shares on the workers of a cluster that is started here."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_effnet.cluster.choice import ClusterChoice
from edge_effnet.cluster.connection import connected
from edge_effnet.cluster.tasks import RayTasks, ray_tasks
from edge_effnet.errors import DataError, EdgeEffnetError
from tests.edge_effnet.cluster.conftest import with_ray

pytestmark = [with_ray, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def tasks() -> Iterator[RayTasks]:
    with connected(ClusterChoice("local", 2), purpose="this test", local_cores=2) as ray:
        yield ray_tasks(ray, ["numpy"])


@dataclass(frozen=True)
class Tripled:
    """Says three times its share; ends its process at 5, once."""

    marker: Path

    def __call__(self, share: int) -> int:
        if share == 5 and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 3 * share


def test_answers_come_in_order_also_where_a_worker_is_killed(
    tasks: RayTasks, tmp_path: Path
) -> None:
    marker = tmp_path / "killed"
    assert list(tasks(Tripled(marker), range(40))) == [3 * share for share in range(40)]
    assert marker.exists()


def _refuse(share: int) -> int:
    if share == 2:
        raise DataError("this share is wrong", found=str(share), fix="leave it out")
    return share


def test_an_error_of_a_worker_is_raised_here(tasks: RayTasks) -> None:
    answers = tasks(_refuse, range(4))
    assert [next(answers), next(answers)] == [0, 1]
    with pytest.raises(DataError, match="this share is wrong; found 2; to fix: leave it out"):
        next(answers)


def test_a_worker_that_always_ends_is_one_line(tasks: RayTasks) -> None:
    with pytest.raises(EdgeEffnetError, match=r"did not finish their shares; found .*Ray's logs"):
        list(tasks(os._exit, [3]))


def test_workers_of_other_versions_are_refused(
    tasks: RayTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_effnet.cluster import tasks as module

    monkeypatch.setattr(module, "own_versions", lambda _: {"Python": "3.11", "numpy": "0.1"})
    with pytest.raises(EdgeEffnetError, match=r"has other versions than this machine; found numpy"):
        list(tasks(_refuse, [0]))
