"""Machines with other versions are named."""

from __future__ import annotations

from edge_effnet.cluster.versions import other_versions, own_versions


def test_equal_versions_are_no_error() -> None:
    own = own_versions(["numpy", "no-such-package"])
    assert own["Python"].startswith("3.")
    assert own["numpy"] != "missing"
    assert own["no-such-package"] == "missing"
    assert other_versions("the worker on b", dict(own), "this machine", own, "a") is None


def test_other_versions_are_named() -> None:
    wanted, found = {"Python": "3.11", "numpy": "2.4.0"}, {"Python": "3.11", "numpy": "2.3.1"}
    assert str(other_versions("the worker on b", found, "this machine", wanted, "a")) == (
        "the worker on b has other versions than this machine; found numpy 2.3.1; expected numpy "
        "2.4.0, as on a; to fix: install the same versions on all machines"
    )
