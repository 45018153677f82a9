"""Who belongs to a group of workers: ``TF_CONFIG``, as Kubeflow, Ray and others set it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_effnet.errors import UsageProblem

VARIABLE = "TF_CONFIG"
_JOBS = ("chief", "worker")
_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
)


@dataclass(frozen=True)
class Member:
    """This process among the workers of a group.

    Attributes:
        addresses: HOST:PORT of all workers, the chief first.
        index: of this worker among them.
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def count(self) -> int:
        return len(self.addresses)


def member_from_environment(environment: Mapping[str, str] = os.environ) -> Member | None:
    """This process's place in the group that ``TF_CONFIG`` describes; None without a group of two
    or more.

    Raises:
        UsageProblem: the variable is no such description, or names another role than a worker.
    """
    text = environment.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        member = _member(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageProblem(
            f"{VARIABLE} does not describe a group of workers",
            found=f"{type(error).__name__}: {error}",
            expected=_EXAMPLE,
            fix=f"correct it, or train on this machine alone: unset {VARIABLE}",
        ) from error
    return None if member.count < 2 else member


def _member(config: Any) -> Member:
    cluster = config.get("cluster") or {}
    jobs = {name: [str(one) for one in cluster[name]] for name in _JOBS if cluster.get(name)}
    if not jobs:
        return Member((), 0)
    if len(jobs.get("chief", ())) > 1:
        raise ValueError(f"{len(jobs['chief'])} chiefs, which can be one")
    kind, index = str(config["task"]["type"]), int(config["task"]["index"])
    if kind not in jobs:
        raise ValueError(f"the task is a {kind!r}; a worker or the chief can train")
    if not 0 <= index < len(jobs[kind]):
        raise ValueError(f"{kind} {index} of {len(jobs[kind])}")
    addresses = [one for name in _JOBS for one in jobs.get(name, ())]
    if len(set(addresses)) < len(addresses):
        raise ValueError("one address is named twice")
    if bad := [one for one in addresses if not one.rpartition(":")[2].isdigit()]:
        raise ValueError(f"{bad[0]!r} is no HOST:PORT")
    before = len(jobs.get("chief", ())) if kind == "worker" else 0
    return Member(tuple(addresses), before + index)
