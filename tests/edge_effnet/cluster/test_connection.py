"""What is wrong with a Ray cluster is one line."""

from __future__ import annotations

import socket

import pytest

from edge_effnet.cluster.choice import ClusterChoice
from edge_effnet.cluster.connection import connected
from edge_effnet.errors import MissingExtra, UsageProblem
from tests.edge_effnet.cluster.conftest import with_ray, without_ray


def connect(choice: ClusterChoice) -> None:
    with connected(choice, purpose="this test", local_cores=1):
        pytest.fail("nothing to connect to")


@without_ray
def test_without_ray_the_line_says_what_to_install() -> None:
    with pytest.raises(MissingExtra, match=r"this test needs ray.*'edge-effnet\[cluster\]'"):
        connect(ClusterChoice("local", 1))


@with_ray
def test_a_head_node_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UsageProblem, match=f"the head node at 127.0.0.1:{port} does not answer"):
        connect(ClusterChoice(f"ray://127.0.0.1:{port}"))
