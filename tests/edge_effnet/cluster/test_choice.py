"""Which cluster ``--cluster`` names."""

from __future__ import annotations

import pytest

from edge_effnet.cluster.choice import ClusterChoice, cluster_choice
from edge_effnet.errors import UsageProblem


def test_what_cluster_names() -> None:
    assert cluster_choice("local:2") == ClusterChoice("local", 2)
    assert cluster_choice("auto", 3) == ClusterChoice("auto", 3)
    assert cluster_choice("ray://head:10001").host_and_port == ("head", 10001)
    for text in ("local", "local:0", "head:10001", "ray://head"):
        with pytest.raises(UsageProblem, match="--cluster names no cluster"):
            cluster_choice(text)
    with pytest.raises(UsageProblem, match="said twice"):
        cluster_choice("local:2", 2)
