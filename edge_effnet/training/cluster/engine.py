"""A run on Ray, seen from the command: started, followed, stopped.

Ray Train's TensorFlow trainer starts the workers, tells each its place (``TF_CONFIG``), and starts
all of them again after one was lost; ``ray_worker.work`` then goes on from the last state.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_effnet.cluster.choice import ClusterChoice
from edge_effnet.cluster.connection import connected, ray_module
from edge_effnet.errors import EdgeEffnetError, MissingExtra, UsageProblem
from edge_effnet.plurals import counted
from edge_effnet.stages import Advance
from edge_effnet.system.cores import available_cores
from edge_effnet.training.cluster.ray_worker import Control, work
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import Callbacks, Interrupted
from edge_effnet.training.run_folder.result import TrainingResult

_POLL_SECONDS = 0.2
_PURPOSE = "training on several machines"


def train_on_ray(
    choice: ClusterChoice,
    config: TrainConfig,
    folder: Path,
    *,
    resuming: bool,
    overwrite: bool,
    threads: int | None,
    save_every_seconds: float,
    callbacks: Callbacks,
) -> TrainingResult:
    """Train or resume on the workers of a Ray cluster.

    Args:
        threads: that prepare images, on each worker; None takes all its cores.

    Raises:
        MissingExtra: Ray is not installed.
        UsageProblem: there is no such cluster, or it has fewer workers.
        EdgeEffnetError: what ends the run on a worker, or workers that are lost in vain.
        Interrupted: stopped by ``callbacks.stop``.
    """
    require_ray_train()
    local_cores = max(choice.workers or 1, available_cores())
    with connected(choice, purpose=_PURPOSE, local_cores=local_cores) as ray:
        count, scaling, cores = _workers(ray, choice)
        control = ray.remote(num_cpus=0)(Control).remote()
        job = {
            "control": control,
            "config": config,
            "folder": str(folder),
            "directory": str(Path.cwd()),
            "resume": resuming,
            "overwrite": overwrite,
            "threads": threads,
            "save_every_seconds": save_every_seconds,
            "cores": cores,
        }
        # In the cluster, not here: the command may be a client outside of it.
        run = ray.remote(num_cpus=0, max_retries=0)(_fit).remote(job, scaling)
        callbacks.say(f"Ray starts {counted(count, 'worker')}")
        if busy := _busy(ray, scaling):
            callbacks.say(busy)
        failure = _follow(ray, run, control, callbacks)
        outcome = ray.get(control.outcome.remote())
        if outcome is None:
            raise EdgeEffnetError(
                "the workers did not finish the run",
                found=failure or "no result",
                fix=f"look at Ray's logs, then go on: edge-effnet train --resume {folder}",
            )
    kind, value = outcome
    if kind == "error":
        exit_code, parts = value
        raise (UsageProblem if exit_code == UsageProblem.exit_code else EdgeEffnetError)(**parts)
    if kind == "stopped":
        raise Interrupted
    return value  # type: ignore[no-any-return]


def _fit(job: dict[str, Any], scaling: dict[str, Any]) -> None:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.tensorflow import TensorflowTrainer

    TensorflowTrainer(
        work,
        train_loop_config=job,
        scaling_config=ScalingConfig(**scaling),
        run_config=RunConfig(
            # Ray's own notes; the run folder is ours.
            storage_path=str(Path(tempfile.gettempdir()) / "edge-effnet-ray"),
            failure_config=FailureConfig(max_failures=-1),  # Control ends it
        ),
    ).fit()


def _follow(ray: Any, run: Any, control: Any, callbacks: Callbacks) -> str | None:
    """Pass on what the chief tells until the run is over; answers with why it failed."""
    show, asked = _Shown(callbacks), False
    while True:
        done, _ = ray.wait([run], timeout=_POLL_SECONDS)
        for name, values in ray.get(control.take.remote()):
            show(name, *values)
        if done:
            break
        if not asked and callbacks.stop():
            asked = True
            control.stop.remote()
    try:
        ray.get(run)
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return lines[-1] if lines else type(error).__name__
    return None


class _Shown:
    """Events of a ``Control`` to callbacks."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._advance: Advance = lambda _done: None

    def __call__(self, name: str, *values: Any) -> None:
        if name == "stage":
            self._advance = self._callbacks.stage(*values)
        elif name == "advance":
            self._advance(*values)
        elif name == "step":
            self._callbacks.on_step(*values)
        elif name == "epoch":
            self._callbacks.on_epoch(*values)
        else:
            self._callbacks.say(*values)


def require_ray_train() -> None:
    """Check that Ray is there with what trains.

    Raises:
        MissingExtra: Ray, or a part of it that training needs, is not installed.
    """
    ray_module(_PURPOSE)
    try:
        import ray.train.tensorflow  # noqa: F401
    except ImportError as error:
        raise MissingExtra("ray[train]", "cluster", _PURPOSE) from error


def _workers(ray: Any, choice: ClusterChoice) -> tuple[int, dict[str, Any], int | None]:
    """How many, what Ray is asked for, and the cores of each local worker."""
    resources: Mapping[str, float] = ray.cluster_resources()
    nodes = [node for node in ray.nodes() if node["Alive"]]
    gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
    own = choice.workers or 1
    if choice.is_local and not 0 < own <= gpus:
        cores = available_cores() // own
        return own, _scaling(own, max(1, cores)), cores or None
    count = choice.workers or gpus or len(nodes)
    most, what = (gpus, "GPUs") if gpus else (cpus, "CPU cores")
    if count > most:
        raise UsageProblem(
            "the cluster has fewer workers than asked for",
            found=f"{most} {what} on {counted(len(nodes), 'machine')}",
            expected=f"{count}, one for each worker",
            fix=f"give --workers {most} at most, or add machines (ray start --address)",
        )
    if gpus:
        return count, {"num_workers": count, "use_gpu": True}, None
    smallest = min(int(node["Resources"].get("CPU", 0)) for node in nodes)
    return count, _scaling(count, max(1, smallest // -(-count // len(nodes)))), None


def _busy(ray: Any, scaling: Mapping[str, Any]) -> str | None:
    """What the run has to wait for, where others use the cluster."""
    kind = "GPU" if scaling.get("use_gpu") else "CPU"
    needed = scaling["num_workers"] * scaling.get("resources_per_worker", {}).get(kind, 1)
    free = int(ray.available_resources().get(kind, 0))
    if free >= needed:
        return None
    return f"the cluster is busy: {free} of the {needed} {kind}s needed are free; the run waits"


def _scaling(count: int, cores: int) -> dict[str, Any]:
    return {
        "num_workers": count,
        "resources_per_worker": {"CPU": cores},
        "placement_strategy": "SPREAD",
    }
