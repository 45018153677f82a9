"""What workers of a cluster bring to an evaluation, and what sharing out costs.

    python -m benchmarks.studies.cluster_evaluation b0-int8.tflite --data photos/

In alternating rounds: one process with one thread and with two, then a cluster on this machine with
one worker and with two, one core each. Starting Ray and its workers is not counted.
Other programs lengthen the time of a round; processor time per image hardly depends on them. Ends
with an error where scores differ by a bit.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

from benchmarks.studies.cli import run_study
from edge_effnet.cluster.choice import ClusterChoice
from edge_effnet.cluster.connection import connected
from edge_effnet.cluster.tasks import ray_tasks
from edge_effnet.data.shares import SHARE
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.runtime.evaluating.plan import EvaluationPlan, plan_evaluation
from edge_effnet.runtime.evaluating.shares import PACKAGES


@dataclass(frozen=True)
class TimedWork:
    """Says beside the answer how many seconds of a processor it took on the worker."""

    work: Callable[[Any], Any]

    def __call__(self, share: Any) -> tuple[Any, float]:
        began = time.process_time()
        return self.work(share), time.process_time() - began


def measure(plan: EvaluationPlan, rounds: int) -> dict[str, dict[str, float]]:
    """Medians over the rounds, by who worked.

    Raises:
        EdgeEffnetError: the scores of a cluster are others.
    """
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for threads in (1, 2):
            began, used = time.perf_counter(), time.process_time()
            (alone,) = plan.predict(workers=threads)
            wall, own = time.perf_counter() - began, time.process_time() - used
            found[f"threads {threads}"].append((wall, own, 0.0))
        for workers in (1, 2):
            scores, row = _on_cluster(plan, workers)
            if not (scores == alone.scores).all():
                raise EdgeEffnetError("a cluster gave other scores", fix="look for the cause")
            found[f"workers {workers}"].append(row)
    images = len(plan.dataset)
    return {
        name: {
            "images_per_s": round(median(images / wall for wall, _, _ in rows), 1),
            "processor_ms_per_image": round(median(1e3 * busy / images for _, busy, _ in rows), 3),
            "caller_ms_per_image": round(median(1e3 * own / images for _, _, own in rows), 3),
        }
        for name, rows in found.items()
    }


def _on_cluster(plan: EvaluationPlan, workers: int) -> tuple[Any, tuple[float, float, float]]:
    """Scores, and seconds: by the clock, of the workers' processors, of this process's."""
    busy: list[float] = []
    choice = ClusterChoice("local", workers)
    with connected(choice, purpose="this study", local_cores=workers, extra="ray") as ray:
        tasks = ray_tasks(ray, PACKAGES)

        def timed(work: Callable[[Any], Any], shares: Iterable[Any]) -> Iterator[Any]:
            for answer, seconds in tasks(TimedWork(work), shares):
                busy.append(seconds)
                yield answer

        plan.sample(2 * SHARE * workers, 0).predict(map_shares=timed)  # workers start
        busy.clear()
        began, used = time.perf_counter(), time.process_time()
        (shared,) = plan.predict(map_shares=timed)
        wall, own = time.perf_counter() - began, time.process_time() - used
    return shared.scores, (wall, sum(busy), own)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1))
def main(model: Path, data: Path, rounds: int) -> None:
    """Measure one and two single-core workers; prints JSON."""
    click.echo(json.dumps(measure(plan_evaluation([model], data), rounds), indent=1))


if __name__ == "__main__":
    run_study(main)
