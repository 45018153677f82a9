"""``map`` over a list in shares, each a Ray task of one core; the answers come in order."""

from __future__ import annotations

import pickle
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from edge_effnet.cluster.versions import other_versions, own_versions
from edge_effnet.errors import EdgeEffnetError, UsageProblem

_Share = TypeVar("_Share")
_Answer = TypeVar("_Answer")

_WAITING_PER_CORE = 4  # begun or waiting; machines that join meanwhile find work too
_RETRIES = 3  # of a task whose worker ended


class MapShares(Protocol):
    """As ``map``: what a function says of each share, in order."""

    def __call__(
        self, work: Callable[[_Share], _Answer], shares: Iterable[_Share], /
    ) -> Iterator[_Answer]: ...


@dataclass(frozen=True)
class RayTasks:
    """A ``MapShares`` on a cluster that is connected.

    Attributes:
        ray: the module, connected.
        packages: distributions of which every worker must have this machine's version.
        cores: of the cluster when it was connected to.
    """

    ray: Any
    packages: tuple[str, ...]
    cores: int

    @property
    def is_busy(self) -> bool:
        """Whether no core is free now."""
        return float(self.ray.available_resources().get("CPU", 0)) < 1

    def __call__(
        self, work: Callable[[_Share], _Answer], shares: Iterable[_Share], /
    ) -> Iterator[_Answer]:
        """Call ``work`` with each share on some worker.

        Args:
            work: sent once and kept by each worker, with what it caches in itself.

        Raises:
            EdgeEffnetError: what ``work`` raised; a worker has other versions; or a task ended
                without an answer, again and again.
        """
        # All pickled, and the work in a list: nobody unpacks them before versions are compared.
        own = own_versions(self.packages), socket.gethostname()
        waiting: deque[Any] = deque()
        try:
            job = [self.ray.put(self.ray.cloudpickle.dumps(work))]
            task = self.ray.remote(num_cpus=1, max_retries=_RETRIES)(_call)
            for share in shares:
                waiting.append(task.remote(own, job, pickle.dumps(share)))
                if len(waiting) > _WAITING_PER_CORE * self.cores:
                    yield _answer(self.ray.get(waiting.popleft()))
            while waiting:
                yield _answer(self.ray.get(waiting.popleft()))
        except (self.ray.exceptions.RayError, ConnectionError, ImportError) as error:
            # An ImportError is of the head node, which passes on what a client sends.
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise EdgeEffnetError(
                "the workers of the cluster did not finish their shares",
                found=lines[-1] if lines else type(error).__name__,
                fix="install the same edge-effnet on all machines; where a worker or the head node "
                "ended, look at Ray's logs: memory is the usual reason",
            ) from error


def ray_tasks(ray: Any, packages: Iterable[str]) -> RayTasks:
    """The tasks of a cluster that ``connected`` has connected to.

    Raises:
        UsageProblem: the cluster has no CPU core.
    """
    cores = int(ray.cluster_resources().get("CPU", 0))
    if cores < 1:
        raise UsageProblem(
            "the cluster has no CPU core for a worker",
            found="a head node without cores and no other machine",
            fix="add machines to it: ray start --address HEAD:6379",
        )
    return RayTasks(ray, tuple(packages), cores)


_job: tuple[str, Any] = "", None  # of this worker: what it was sent last, by its reference


def _call(
    wanted: tuple[dict[str, str], str], job: list[Any], share: bytes
) -> tuple[Any, tuple[type[EdgeEffnetError], dict[str, Any]] | None]:
    """On a worker: the answer, or the class and the parts of an error."""
    global _job
    import ray

    versions, host = wanted
    own = own_versions(name for name in versions if name != "Python")
    who = f"the worker on {socket.gethostname()}"
    try:
        if (error := other_versions(who, own, "this machine", versions, host)) is not None:
            raise error
        if _job[0] != job[0].hex():
            _job = job[0].hex(), pickle.loads(ray.get(job[0]))  # noqa: S301 (from the command)
        return _job[1](pickle.loads(share)), None  # noqa: S301 (the same)
    except EdgeEffnetError as error:
        return None, (type(error), _parts(error))


def _parts(error: EdgeEffnetError) -> dict[str, Any]:
    return {name: getattr(error, name) for name in ("what", "found", "expected", "fix")}


def _answer(outcome: tuple[Any, tuple[type[EdgeEffnetError], dict[str, Any]] | None]) -> Any:
    """Of ``_call``; raises the error in it, of a class that may be made in another way than from
    its parts."""
    answer, failure = outcome
    if failure is None:
        return answer
    kind, parts = failure
    error = kind.__new__(kind)
    EdgeEffnetError.__init__(error, **parts)
    raise error
