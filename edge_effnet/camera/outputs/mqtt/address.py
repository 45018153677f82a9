"""Addresses of MQTT brokers."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from edge_effnet.errors import UsageProblem

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_NODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What Home Assistant takes for an id in a topic of discovery."""
_ESCAPES = 'in user and password "/" is written %2F, "@" %40, "?" %3F, and "#" %23'


@dataclass(frozen=True)
class BrokerAddress:
    """Where answers go.

    Attributes:
        tls: whether the connection is encrypted and the broker's certificate verified.
        node: the name of this camera, in topics and ids.
        user, password: not shown by ``repr``.
    """

    host: str
    port: int
    tls: bool
    node: str
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """For screens and logs: without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' * self.tls}://{host}:{self.port}"


def parse_broker(text: str, option: str) -> BrokerAddress:
    """Read ``mqtt[s]://[user:password@]host[:port][/NODE]``; without NODE it is this host's name.

    Raises:
        UsageProblem: no such address, or a node that no topic can hold; no part of a password is
            shown.
    """
    try:
        parts = urlsplit(text)
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError:
        raise _bad_address(option) from None
    if parts.scheme not in _PORTS or not host or parts.query or parts.fragment:
        raise _bad_address(option)
    node = parts.path.strip("/") or re.sub(r"[^A-Za-z0-9_-]+", "-", socket.gethostname())[:64]
    if not _NODE.fullmatch(node):
        raise UsageProblem(
            f"{option}: the name of the camera, behind the host, cannot stand in a topic",
            expected="up to 64 letters, digits, _ and -",
            fix="for example mqtt://192.168.1.5/porch",
        )
    return BrokerAddress(
        host,
        port or _PORTS[parts.scheme],
        parts.scheme == "mqtts",
        node,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )


def _bad_address(option: str) -> UsageProblem:
    return UsageProblem(
        f"{option} is no address of an MQTT broker",
        expected=f"mqtt:// or mqtts://, and a host; {_ESCAPES}",
        fix="for example mqtt://192.168.1.5 or mqtts://user:password@broker.local/porch",
    )
