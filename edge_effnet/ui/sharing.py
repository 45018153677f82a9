"""``--cluster`` of the commands that run models over a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edge_effnet.cluster.choice import cluster_choice
from edge_effnet.cluster.connection import connected
from edge_effnet.cluster.tasks import MapShares, ray_tasks
from edge_effnet.errors import UsageProblem
from edge_effnet.plurals import counted
from edge_effnet.ui.console import print_note


@contextmanager
def shared_out(cluster: str | None, threads: int | None) -> Iterator[MapShares | None]:
    """Connect to what ``--cluster`` names; yields what shares images out, None without it.

    Args:
        threads: of ``--threads``.

    Raises:
        MissingExtra: Ray is not installed.
        UsageProblem: no such cluster, or ``--threads``, which is for this machine.
    """
    if cluster is None:
        yield None
        return
    from edge_effnet.data.division.shared_prints import prints_shared_out
    from edge_effnet.runtime.evaluating.shares import PACKAGES

    choice = cluster_choice(cluster)
    if threads is not None:
        raise UsageProblem(
            "--threads is for one machine",
            found=f"--threads {threads} and --cluster {cluster}",
            expected="one of them: each worker of a cluster takes one core",
            fix="leave --threads out; --cluster local:2 takes two cores of this machine",
        )
    purpose = "evaluating on several machines"
    with connected(choice, purpose=purpose, local_cores=choice.workers or 1, extra="ray") as ray:
        tasks = ray_tasks(ray, PACKAGES)
        print_note(f"the images are shared out over {counted(tasks.cores, 'core')}")
        if tasks.is_busy:
            print_note("others use all cores of the cluster; the run waits for a free one")
        with prints_shared_out(tasks):
            yield tasks
