"""Jobs as tasks of a Ray cluster, each in a process of its own on one core or one GPU."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from edge_effnet.cluster.choice import ClusterChoice
from edge_effnet.cluster.connection import connected
from edge_effnet.cluster.versions import other_versions, own_versions
from edge_effnet.errors import EdgeEffnetError, UsageProblem
from edge_effnet.plurals import counted
from edge_effnet.search.workers.job import Event, Job, Outcome, error_parts
from edge_effnet.search.workers.work import work
from edge_effnet.system.cores import available_cores
from edge_effnet.training.cluster.rendezvous import PACKAGES

_POLL_SECONDS = 0.2
_SECONDS_BETWEEN = 1.0  # two questions of a worker whether to stop


class Board:
    """A Ray actor by which jobs and the command tell each other."""

    def __init__(self) -> None:
        self._told: list[Event] = []
        self._stop = False

    def tell(self, job: Job, name: str, values: tuple[Any, ...]) -> None:
        self._told.append((job, name, values))

    def take(self) -> list[Event]:
        """What was told since the last call."""
        told, self._told = self._told, []
        return told

    def stop(self) -> None:
        self._stop = True

    def stopping(self) -> bool:
        return self._stop


def task(job: Job, board: Any, versions: Mapping[str, str], host: str) -> Outcome:
    """What Ray runs.

    Args:
        board: handle of a ``Board``.
        versions, host: of the machine that the command was given on.
    """
    import ray

    who, own = f"the worker on {socket.gethostname()}", own_versions(PACKAGES)
    if (error := other_versions(who, own, "this machine", versions, host)) is not None:
        return "error", error_parts(error)
    asked, answer = -_SECONDS_BETWEEN, False

    def stopping() -> bool:
        nonlocal asked, answer
        if time.monotonic() - asked >= _SECONDS_BETWEEN:
            asked, answer = time.monotonic(), bool(ray.get(board.stopping.remote()))
        return answer

    return work(job, lambda name, *values: board.tell.remote(job, name, values), stopping)


class RayPool:
    """A ``Pool``."""

    def __init__(self, ray: Any, choice: ClusterChoice) -> None:
        self._ray = ray
        self.at_once, gpus = shares(ray.cluster_resources(), choice)
        self._board = ray.remote(num_cpus=0)(Board).remote()
        # A process of its own for each job, and on as many machines as there are; a lost job is
        # started again by whoever drives the pool, who says so.
        self._task = ray.remote(
            num_cpus=1, num_gpus=gpus, max_calls=1, max_retries=0, scheduling_strategy="SPREAD"
        )(task)
        self._running: dict[Any, Job] = {}

    def make_room(self, job_bytes: float) -> None:
        """See ``Pool``; here Ray ends a job where memory is short, and it is started again."""

    def start(self, job: Job) -> None:
        """See ``Pool``."""
        with _answering():
            own = own_versions(PACKAGES), socket.gethostname()
            self._running[self._task.remote(job, self._board, *own)] = job

    def events(self) -> list[Event]:
        """See ``Pool``.

        Raises:
            EdgeEffnetError: the cluster no longer answers.
        """
        with _answering():
            ended, _ = self._ray.wait([*self._running], timeout=_POLL_SECONDS)
            told: list[Event] = self._ray.get(self._board.take.remote())
        for one in ended:
            told.append((self._running.pop(one), "outcome", self._outcome(one)))
        return told

    def _outcome(self, ended: Any) -> Outcome:
        try:
            return self._ray.get(ended)  # type: ignore[no-any-return]
        except self._ray.exceptions.RayTaskError as error:  # no edge_effnet there, for instance
            return "error", error_parts(error.cause or error)
        except self._ray.exceptions.RayError as error:
            return "lost", _first_line(error)

    def stop(self) -> None:
        """See ``Pool``."""
        with _answering():
            self._ray.get(self._board.stop.remote())


@contextmanager
def ray_workers(choice: ClusterChoice) -> Iterator[RayPool]:
    """Workers of a Ray cluster.

    Raises:
        MissingExtra: Ray is not installed.
        UsageProblem: there is no such cluster, or it has fewer workers.
    """
    cores = max(choice.workers or 1, available_cores())
    with connected(choice, purpose="a search on several machines", local_cores=cores) as ray:
        yield RayPool(ray, choice)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise EdgeEffnetError(
            "the Ray cluster no longer answers",
            found=_first_line(error),
            fix="install the same edge-effnet on all machines; where the head node ended, start it "
            "and go on with --resume",
        ) from error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def shares(resources: Mapping[str, float], choice: ClusterChoice) -> tuple[int, int]:
    """How many jobs at a time, and the GPUs of each.

    Args:
        resources: ``CPU`` and ``GPU`` of the whole cluster.

    Raises:
        UsageProblem: it has fewer workers than asked for, or none.
    """
    gpus, cores = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
    if choice.is_local and choice.workers:
        return choice.workers, int(choice.workers <= gpus)
    most, what = (gpus, "GPU") if gpus else (cores, "CPU core")
    count = choice.workers or most
    if not 0 < count <= most:
        raise UsageProblem(
            "the cluster has fewer workers than asked for",
            found=counted(most, what),
            expected=f"{max(1, count)}, one for each training",
            fix=f"give --workers {most} at most, or add machines (ray start --address)",
        )
    return count, int(gpus > 0)
