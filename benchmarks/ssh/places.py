"""A file or folder on a Pi, as ``scp`` names it: ``NAME@HOST:PATH``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchmarks.ssh.connect import Address, parse_address
from edge_effnet.errors import UsageProblem

_PLACE = re.compile(
    r"(?P<user>[^@:/\s]+@)?(?P<host>\[[^\]]*\]|[^@:/\s]+)(?P<port>:\d+(?=:|\Z))?(?P<path>:.*)?",
    re.DOTALL,
)
_OURS = "pi@"


@dataclass(frozen=True)
class Place:
    """A host and, maybe, a path on it.

    Attributes:
        named: the host as the user named it, for commands to type.
        path: relative ones begin in the home folder there; None where none was given.
    """

    address: Address
    named: str
    path: str | None

    def with_path(self, path: str) -> str:
        """The same host and a path, as they are typed."""
        return f"{self.named}:{path}"

    @property
    def ssh(self) -> str:
        """The ssh command that reaches the same host, with the user who was typed."""
        typed = self.named.removeprefix(_OURS) if self.address.user else self.named
        return parse_address(typed, "the Pi").ssh


def parse_place(text: str) -> Place:
    """Read ``[pi@][NAME@]HOST[:PORT][:PATH]``.

    Without a name, and with ``pi@`` as in ``bench --device``, it is the user of your SSH
    configuration, else ``pi``. Digits alone behind the host are a port.

    Raises:
        UsageProblem: no host, or a port that is none.
    """
    found = _PLACE.fullmatch(text.removeprefix(_OURS))
    if found is None:
        raise UsageProblem(
            "the Pi is not understood",
            found=repr(text),
            expected="NAME@HOST:PATH, as scp names it",
            fix="for example your-name@raspberrypi.local:kept",
        )
    user, host, port, path = (found[name] or "" for name in ("user", "host", "port", "path"))
    address = parse_address(user + host + port, "the Pi")
    named = text[: len(text) - len(path)]
    return Place(address, named, plain_path(path.removeprefix(":")) or None)


def plain_path(text: str) -> str:
    """A path on a Pi without what says that it begins in the home folder, and without a slash at
    its end; empty for the home folder itself."""
    plain = re.sub(r"\A~(/+|\Z)", "", text)
    return plain.rstrip("/") or plain[:1]
