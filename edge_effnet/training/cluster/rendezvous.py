"""The workers of a group meet before TensorFlow connects them.

TensorFlow waits for a missing worker without an end and without a word, and does not look at
versions. So the chief listens at its own address first, the others report there, and it answers
all of them with "go" or with what is wrong. Then the port is free again, for TensorFlow.
"""

from __future__ import annotations

import errno
import json
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from edge_effnet.cluster.versions import other_versions, own_versions
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.training.cluster.group import worker_name
from edge_effnet.training.cluster.members import VARIABLE, Member

WAIT_SECONDS = 300.0
PACKAGES = ("edge-effnet", "tensorflow", "keras", "numpy", "opencv-python-headless")
_LONGEST_MESSAGE = 64 << 10
_RETRY_SECONDS = 0.2
_NO_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


def meet(member: Member, *, wait_seconds: float = WAIT_SECONDS) -> None:
    """Wait until all workers of the group are there with equal versions.

    Raises:
        EdgeEffnetError: workers are missing or have other versions than the chief, the chief does
            not answer, or its address is in use; the same line on all workers that are there.
    """
    deadline = time.monotonic() + wait_seconds
    own = {"index": member.index, "host": socket.gethostname(), "versions": own_versions(PACKAGES)}
    if member.index == 0:
        _receive_all(member, own, deadline, wait_seconds)
    else:
        _report(member, own, deadline, wait_seconds)


def compare_versions(reports: Mapping[int, Mapping[str, Any]]) -> EdgeEffnetError | None:
    """The first worker with other versions than the chief's, as an error; None without one.

    Args:
        reports: ``host`` and ``versions`` of each worker, by index.
    """
    chief = reports[0]
    for index, report in sorted(reports.items()):
        who = worker_name(index, report["host"])
        error = other_versions(
            who, report["versions"], "the chief", chief["versions"], chief["host"]
        )
        if error is not None:
            return error
    return None


def _receive_all(
    member: Member, own: Mapping[str, Any], deadline: float, wait_seconds: float
) -> None:
    reports: dict[int, Mapping[str, Any]] = {0: own}
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(member.addresses[0]))
        callers: dict[int, socket.socket] = {}
        while len(reports) < member.count and (left := deadline - time.monotonic()) > 0:
            listener.settimeout(left)
            try:
                caller = stack.enter_context(listener.accept()[0])
                caller.settimeout(5)
                report = _read(caller)
                index = int(report["index"])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # something else that came to this port
            if 0 < index < member.count:  # the last report of a worker that was started again
                reports[index], callers[index] = report, caller
        missing = [index for index in range(member.count) if index not in reports]
        error = _missing(member, missing, wait_seconds) if missing else compare_versions(reports)
        answer = _line({"error": None if error is None else _parts(error)})
        for caller in callers.values():
            try:
                caller.sendall(answer)
            except OSError:
                continue
    if error is not None:
        raise error


def _report(member: Member, own: Mapping[str, Any], deadline: float, wait_seconds: float) -> None:
    host, _, port = member.addresses[0].rpartition(":")
    reason = "no answer"
    while (left := deadline - time.monotonic()) > 0:
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=left) as chief:
                chief.sendall(_line(own))
                # The chief answers when all are there: a little later than it gives up itself.
                chief.settimeout(left + 10)
                answer = _read(chief)
                problem = answer["error"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            # Not there yet, or TensorFlow's server of the run before, which ends soon.
            reason = str(error) or type(error).__name__
            time.sleep(_RETRY_SECONDS)
            continue
        if problem is not None:
            raise EdgeEffnetError(**problem)
        return
    raise EdgeEffnetError(
        f"the chief at {member.addresses[0]} does not answer worker {member.index}",
        found=f"{reason}, for {wait_seconds:g} seconds",
        expected="all workers started at about the same time",
        fix=f"start the chief, and check {VARIABLE} and the firewall between the machines",
    )


def _missing(member: Member, missing: list[int], wait_seconds: float) -> EdgeEffnetError:
    names = ", ".join(f"worker {index} ({member.addresses[index]})" for index in missing[:5])
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    return EdgeEffnetError(
        f"{member.count - len(missing)} of {member.count} workers came within "
        f"{wait_seconds:g} seconds",
        found=f"nothing of {names}{more}",
        fix=f"start these workers too, or describe a smaller group in {VARIABLE}",
    )


def _listen(address: str) -> socket.socket:
    port = int(address.rpartition(":")[2])
    for family, host in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):  # noqa: S104 (the group's port)
        dual = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        if family == socket.AF_INET6 and not dual:
            continue
        try:
            return socket.create_server((host, port), family=family, dualstack_ipv6=dual)
        except OSError as error:
            reason = error.strerror or str(error)
            if family == socket.AF_INET6 and error.errno in _NO_IPV6:
                continue
            break
    raise EdgeEffnetError(
        f"the chief cannot listen at {address}",
        found=reason,
        fix="end the program that uses this port, or name another port for the chief",
    )


def _read(connection: socket.socket) -> dict[str, Any]:
    """One line of JSON.

    Raises:
        ValueError: something else came, or too much of it.
    """
    content = b""
    while not content.endswith(b"\n"):
        more = connection.recv(4096)
        if not more or len(content) > _LONGEST_MESSAGE:
            raise ValueError("no report")
        content += more
    return dict(json.loads(content))


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _parts(error: EdgeEffnetError) -> dict[str, str | None]:
    return {name: getattr(error, name) for name in ("what", "found", "expected", "fix")}
