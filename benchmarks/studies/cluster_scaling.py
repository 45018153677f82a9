"""What a second worker brings, and what a sum over workers costs, in one run.

    python -m benchmarks.studies.cluster_scaling --resolution 64

Two processes, each kept to one core of this machine, form a group. In alternating rounds the first
makes steps alone, then both make the same steps with half of each batch; images are in memory, so
this is the step and nothing else. Then vectors of several sizes are summed. Both processes are on
one machine: between machines a sum takes the time of the network, which the sizes let one compute.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

import click
import numpy as np

from benchmarks.studies.cli import run_study
from edge_effnet.errors import EdgeEffnetError

BATCH = 32
SUM_BYTES = (1_000, 100_000, 1_000_000, 16_000_000, 64_000_000)


def measure(variant: str, side: int, steps: int, rounds: int) -> dict[str, Any]:
    """Run both workers; answers with what the first found.

    Raises:
        EdgeEffnetError: fewer than two cores, or a worker failed.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise EdgeEffnetError(
            "the study needs two cores", found="one", fix="run it on a larger machine"
        )
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    workers = []
    for index in range(2):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        words = [variant, side, steps, rounds, cores[index]]
        workers.append(
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.studies.cluster_scaling",
                    "--as-worker",
                    json.dumps(words),
                ],
                env={**os.environ, "TF_CONFIG": json.dumps(task)},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    answers = [worker.communicate()[0] for worker in workers]
    if any(worker.returncode for worker in workers):
        raise EdgeEffnetError("a worker failed", fix="see its own lines above")
    return dict(json.loads(answers[0]))


def work(variant: str, side: int, steps: int, rounds: int, core: int) -> None:
    """One of the two workers; the first prints JSON."""
    os.sched_setaffinity(0, {core})
    from edge_effnet.training.cluster.members import member_from_environment
    from edge_effnet.training.cluster.rendezvous import meet
    from edge_effnet.training.steps.step import join_group

    member = member_from_environment()
    assert member is not None  # noqa: S101 (the parent process has set it)
    meet(member)
    group = join_group(member)
    found: dict[str, Any] = {"variant": variant, "resolution_px": side, "batch": BATCH}
    for norm in ("frozen", "train"):
        alone, shared = _loops(variant, side, steps, norm, group)
        samples: dict[str, list[float]] = {"alone": [], "shared": []}
        cpu_ms: dict[str, list[float]] = {"alone": [], "shared": []}
        for number in range(rounds + 1):
            for name, loop in (("alone", alone), ("shared", shared)):
                group.any(False)  # both are here
                began, cpu_began = time.perf_counter(), time.process_time()
                if name == "shared" or group.is_chief:
                    loop()
                if number:
                    spent = 1e3 * (time.process_time() - cpu_began)
                    cpu_ms[name].append(spent / (steps * BATCH))
                    samples[name].append(steps * BATCH / (time.perf_counter() - began))
        found[f"batch_norm_{norm}"] = summary(samples, cpu_ms)
    found["sum_ms"] = {size: _sum_ms(group, size) for size in SUM_BYTES}
    if group.is_chief:
        click.echo(json.dumps(found))


def summary(
    samples: Mapping[str, Sequence[float]], cpu_ms: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """Images per second of each round, and the median over the rounds of two workers over one:
    compared round by round, because another program's load comes and goes.

    Args:
        cpu_ms: processor time of the first worker per image of the batch; hardly moved by what
            else runs. Of two workers half would be ideal.
    """
    pairs = zip(samples["shared"], samples["alone"], strict=True)
    rounded = {name: [round(value, 1) for value in values] for name, values in samples.items()}
    ratios = [both / one for both, one in pairs]
    return {
        "images_per_second_1_worker": rounded["alone"],
        "images_per_second_2_workers": rounded["shared"],
        "ratio": round(median(ratios), 2),
        "cpu_ms_per_image": {name: round(median(values), 2) for name, values in cpu_ms.items()},
        "cpu_ratio": round(median(cpu_ms["alone"]) / median(cpu_ms["shared"]), 2),
    }


def _loops(
    variant: str, side: int, steps: int, norm: Any, group: Any
) -> tuple[Callable[[], object], Callable[[], object]]:
    from edge_effnet.architecture.variants import VARIANTS
    from edge_effnet.network.weights.resolve import ResolvedWeights
    from edge_effnet.training.cluster.group import ALONE
    from edge_effnet.training.config import TrainConfig
    from edge_effnet.training.initialize import compile_for_training, initialize
    from edge_effnet.training.steps.step import training_step

    config = TrainConfig(data="none", variant=variant, batch_size=BATCH, batch_norm=norm)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (BATCH, side, side, 3)).astype(np.float32)
    truth = np.eye(10, dtype=np.float32)[random.integers(0, 10, BATCH)]

    def loop(team: Any) -> Callable[[], object]:
        share = team.share(BATCH)
        model, _ = initialize(
            config,
            ResolvedWeights(VARIANTS[variant], "random", None, None),
            resolution=side,
            labels=[str(number) for number in range(10)],
            steps_per_epoch=100,
            share=None if team.count == 1 else share,
        )
        compile_for_training(model, config)
        step = training_step(model, share=share, group=team)
        return lambda: [step(images[share.rows], truth[share.rows], None) for _ in range(steps)]

    return loop(ALONE), loop(group)


def _sum_ms(group: Any, size: int) -> float:
    values = np.ones(size // 4, np.float32)
    group.sum(values)
    times = []
    for _ in range(9):
        began = time.perf_counter()
        group.sum(values)
        times.append(1e3 * (time.perf_counter() - began))
    return round(median(times), 2)


@click.command()
@click.option("--variant", default="b0", show_default=True)
@click.option("--resolution", default=64, show_default=True, type=click.IntRange(32, 1024))
@click.option("--steps", default=4, show_default=True, type=click.IntRange(1), help="Per round.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1))
@click.option("--as-worker", hidden=True)
def main(variant: str, resolution: int, steps: int, rounds: int, as_worker: str | None) -> None:
    """Measure one and two single-core workers; prints JSON."""
    if as_worker is not None:
        work(*json.loads(as_worker))
        return
    click.echo(json.dumps(measure(variant, resolution, steps, rounds), indent=1))


if __name__ == "__main__":
    run_study(main)
