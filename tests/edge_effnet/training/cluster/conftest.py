"""Groups of workers on this machine, by ``TF_CONFIG`` as Kubeflow sets it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[4]


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
