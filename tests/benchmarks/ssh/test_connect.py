"""Why there is no connection is one line that says what to type."""

from __future__ import annotations

import asyncssh

from benchmarks.ssh.connect import Address, _refused


def test_without_a_server_at_the_default_port_another_one_may_be_named() -> None:
    refused = _refused(asyncssh, Address("pi4"), None, ConnectionRefusedError(111, "refused"))
    assert "pi4 runs no SSH server there" in str(refused)
    assert "if it listens at another port, say which: NAME@HOST:PORT" in str(refused)
    refused = _refused(asyncssh, Address("pi4", port=23), None, ConnectionRefusedError(111, ""))
    assert str(refused).endswith("or, if 23 is not its port, leave it out")
