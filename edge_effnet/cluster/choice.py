"""What ``--cluster`` means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge_effnet.errors import UsageProblem


@dataclass(frozen=True)
class ClusterChoice:
    """Where Ray runs the workers.

    Attributes:
        address: for ``ray.init``: ``auto``, ``ray://HOST:PORT``, or ``local`` for a cluster that
            is started here and ends with the run.
        workers: how many; None takes one per GPU, without GPUs one per machine.
    """

    address: str
    workers: int | None = None

    @property
    def is_local(self) -> bool:
        return self.address == "local"

    @property
    def host_and_port(self) -> tuple[str, int] | None:
        """Of ``ray://``."""
        found = re.fullmatch(r"ray://\[?([^\]]+)\]?:(\d+)", self.address)
        return (found[1], int(found[2])) if found else None


def cluster_choice(text: str, workers: int | None = None) -> ClusterChoice:
    """``auto``, ``ray://HOST:PORT`` or ``local:N``.

    Args:
        workers: of ``--workers``.

    Raises:
        UsageProblem: something else, or two numbers of workers.
    """
    if local := re.fullmatch(r"local:([1-9]\d{0,2})", text):
        if workers is not None:
            raise UsageProblem(
                "the number of local workers is said twice",
                found=f"--cluster {text} and --workers {workers}",
                fix="leave --workers out",
            )
        return ClusterChoice("local", int(local[1]))
    choice = ClusterChoice(text, workers)
    if text != "auto" and choice.host_and_port is None:
        raise UsageProblem(
            "--cluster names no cluster",
            found=text,
            expected="auto (the Ray cluster this machine belongs to), ray://HOST:10001, or local:2 "
            "(two workers on this machine)",
            fix="give one of these",
        )
    return choice
