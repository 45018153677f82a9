"""The connection to a Ray cluster, and what is wrong with it in one line."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edge_effnet.cluster.choice import ClusterChoice
from edge_effnet.errors import MissingExtra, UsageProblem

_ANSWER_SECONDS = 10.0
_LIMITS = "EDGE_EFFNET_MAX_"  # of edge_effnet.files.limits


@contextmanager
def connected(
    choice: ClusterChoice, *, purpose: str, local_cores: int, extra: str = "cluster"
) -> Iterator[Any]:
    """Start Ray here, or connect to the cluster that was named; yields the module ``ray``.

    At the end the connection is closed, and a cluster that was started here ends.

    Args:
        purpose, extra: see ``ray_module``.
        local_cores: that a cluster started here shares out among its workers.

    Raises:
        MissingExtra: Ray is not installed.
        UsageProblem: there is no such cluster.
    """
    ray = ray_module(purpose, extra)
    if (address := choice.host_and_port) is not None:
        _refuse_silent(address)
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "CRITICAL"}
    if choice.is_local:
        settings |= {"num_cpus": local_cores, "include_dashboard": False}
    # Limits that the user set hold on the workers too.
    if limits := {name: text for name, text in os.environ.items() if name.startswith(_LIMITS)}:
        settings["runtime_env"] = {"env_vars": limits}
    try:
        ray.init(choice.address, **settings)
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UsageProblem(
            f"there is no Ray cluster at {choice.address}",
            found=lines[-1 if lines[0].endswith(":") else 0] if lines else type(error).__name__,
            expected="a head node of the same versions of Ray and Python, started with "
            "'ray start --head'",
            fix="start it (where it asks for a token, RAY_AUTH_MODE=token sends it), or "
            "take this machine: --cluster local:2",
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def ray_module(purpose: str, extra: str = "cluster") -> Any:
    """``ray``.

    Args:
        purpose: what it is needed for, as a noun phrase.
        extra: of ``edge-effnet``, that brings what this purpose needs.

    Raises:
        MissingExtra: it is not installed.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # of tasks that nobody waits for
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", extra, purpose) from error
    return ray


def _refuse_silent(address: tuple[str, int]) -> None:
    """Ray tries for half a minute and then says little."""
    try:
        socket.create_connection(address, timeout=_ANSWER_SECONDS).close()
    except OSError as error:
        raise UsageProblem(
            f"the head node at {address[0]}:{address[1]} does not answer",
            found=str(error) or type(error).__name__,
            expected="the port of Ray's client server, 10001 by default",
            fix="start it there (ray start --head), and check the name, port and firewall",
        ) from error
