"""Workers meet before TensorFlow connects them: those that are missing are named, and so are
those with other versions."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from edge_effnet.errors import EdgeEffnetError
from edge_effnet.training.cluster.members import Member
from edge_effnet.training.cluster.rendezvous import compare_versions, meet
from tests.edge_effnet.training.cluster.conftest import free_addresses


def answers(count: int, present: list[int], wait_seconds: float = 20) -> list[str]:
    """What ``meet`` says to each worker that is there; empty where all is well."""
    addresses = tuple(free_addresses(count))

    def one(index: int) -> str:
        try:
            meet(Member(addresses, index), wait_seconds=wait_seconds)
        except EdgeEffnetError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, present))


def test_all_are_there() -> None:
    assert answers(3, [2, 1, 0]) == ["", "", ""]


def test_missing_workers_are_named_to_all() -> None:
    chief, second = answers(4, [0, 1], wait_seconds=2)
    assert chief == second
    assert chief.startswith("2 of 4 workers came within 2 seconds; found nothing of worker 2 (127")
    assert "worker 3" in chief


def test_a_chief_that_does_not_answer() -> None:
    (line,) = answers(2, [1], wait_seconds=0.5)
    assert "the chief at 127.0.0.1:" in line
    assert "does not answer worker 1" in line


def test_another_program_on_the_chiefs_port() -> None:
    address = free_addresses(1)[0]
    with (
        socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))),
        pytest.raises(EdgeEffnetError, match="the chief cannot listen at"),
    ):
        meet(Member((address, "127.0.0.1:1"), 0), wait_seconds=1)


def test_a_stranger_that_connects_is_no_worker() -> None:
    address, other = free_addresses(2)
    port = int(address.rpartition(":")[2])

    def talk() -> None:
        for content in (b"GET / HTTP/1.1\r\n\r\n", b'{"index": 7}\n', b"x" * 100_000):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(content)
        meet(Member((address, other), 1), wait_seconds=20)

    chief = _background(lambda: meet(Member((address, other), 0), wait_seconds=20))
    while True:  # until the chief listens
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            continue
    talk()
    chief.join(30)
    assert not chief.is_alive()


def test_other_versions_are_named() -> None:
    chief = {"host": "one", "versions": {"Python": "3.11", "keras": "3.15.0"}}
    same = {"host": "two", "versions": dict(chief["versions"])}  # type: ignore[call-overload]
    other = {"host": "three", "versions": {"Python": "3.11", "keras": "3.14.2"}}
    assert compare_versions({0: chief, 1: same}) is None
    assert str(compare_versions({0: chief, 1: same, 2: other})) == (
        "worker 2 on three has other versions than the chief; found keras 3.14.2; expected keras "
        "3.15.0, as on one; to fix: install the same versions on all machines"
    )


def _background(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread
