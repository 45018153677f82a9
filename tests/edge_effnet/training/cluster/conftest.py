"""Groups of workers on this machine: processes, by ``TF_CONFIG`` as from Kubeflow, or threads."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_effnet.training.cluster.group import Group

ROOT = Path(__file__).parents[4]
COUNT = 3
T = TypeVar("T")


def free_addresses(count: int) -> list[str]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]


def tf_config(addresses: Sequence[str], index: int) -> str:
    return json.dumps(
        {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": index}}
    )


def start_workers(
    arguments: Sequence[str], count: int, folder: Path
) -> list[subprocess.Popen[str]]:
    """The command on each of some workers, started in its own folder under ``folder``."""
    addresses = free_addresses(count)
    started = []
    for index in range(count):
        here = folder / f"worker{index}"
        here.mkdir(parents=True, exist_ok=True)
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "edge_effnet", *arguments],
                cwd=here,
                env={
                    **os.environ,
                    "TF_CONFIG": tf_config(addresses, index),
                    "PYTHONPATH": str(ROOT),
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return started


def outcomes(workers: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """Exit code, standard output and standard error of each."""
    try:
        return [
            (worker.wait(), *parts)
            for worker, parts in ((one, one.communicate(timeout=300)) for one in workers)
        ]
    finally:
        for worker in workers:
            worker.kill()


def on_all(function: Callable[[Group], T]) -> list[T]:
    """What a function answers on each of ``COUNT`` workers: threads that sum what they tell."""
    told: list[NDArray[Any]] = [np.zeros(0)] * COUNT
    meeting = threading.Barrier(COUNT, timeout=30)

    def worker(number: int) -> T:
        class Worker(Group):
            index = number
            count = COUNT

            def sum(self, values: NDArray[Any]) -> NDArray[Any]:
                told[number] = np.asarray(values)
                meeting.wait()
                total = np.sum(told, axis=0)
                meeting.wait()
                return np.asarray(total)

        return function(Worker())

    with ThreadPoolExecutor(COUNT) as pool:
        return list(pool.map(worker, range(COUNT)))
