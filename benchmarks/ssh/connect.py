"""Connect to a Raspberry Pi with the user's own SSH: configuration, keys, agent, known hosts.

Verification is never turned off. What can go wrong is turned into one line that says what to
type.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_effnet.errors import EdgeEffnetError, MissingExtra, UsageProblem

if TYPE_CHECKING:
    import asyncssh

DEFAULT_USER = "pi"
CONNECT_SECONDS = 20
# A dead link is noticed after so many seconds times three.
KEEPALIVE_SECONDS = 10


@dataclass(frozen=True)
class Address:
    """``[user@]host[:port]``; the host may be an alias of the user's SSH configuration.

    Attributes:
        user, port: None where the SSH configuration, then the default, decides.
    """

    host: str
    user: str | None = None
    port: int | None = None

    @property
    def text(self) -> str:
        """As ``parse_address`` reads it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user, port = f"{self.user}@" * bool(self.user), f":{self.port}" * bool(self.port)
        return user + host + port

    @property
    def ssh(self) -> str:
        """The ssh command that reaches the same place."""
        port = ["-p", str(self.port)] if self.port else []
        return shlex.join(["ssh", *port, f"{self.user}@{self.host}" if self.user else self.host])


def device_name(address: str) -> str:
    """What ``--device`` calls an address: ``anna@HOST``, and ``pi@HOST`` without a user, who is
    then that of the user's SSH configuration, else ``pi``."""
    return address if "@" in address else f"pi@{address}"


def parse_address(text: str, named: str = "--device NAME@…") -> Address:
    """Read an address without ``pi@``: ``raspberrypi.local``, ``alice@10.0.0.7:2222``.

    Args:
        named: what the user calls it, for the error.

    Raises:
        UsageProblem: no host, or a port that is none.
    """
    user, at, host_and_port = text.rpartition("@")
    if host_and_port.startswith("["):
        host, closed, rest = host_and_port[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        good = bool(closed) and colon in ("", ":")
    else:
        host, colon, port = host_and_port.partition(":")
        good = ":" not in port
    number = int(port) if port.isascii() and port.isdecimal() else 0
    if (
        not good
        or not host
        or host.startswith("-")
        or any(sign.isspace() for sign in text)
        or (at and not user)
        or (colon and not 1 <= number <= 65535)
    ):
        raise UsageProblem(
            f"{named} is not understood",
            found=repr(text),
            expected="a host name, with a user before it and a port behind it if you like",
            fix="for example your-name@raspberrypi.local, or your-name@10.0.0.7:2222",
        )
    return Address(host, user or None, number or None)


def require_asyncssh() -> Any:
    """Import asyncssh.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import asyncssh
    except ImportError as error:
        raise MissingExtra("asyncssh", "remote", "a connection over SSH") from error
    return asyncssh


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """An SSH connection for as long as the block runs.

    Raises:
        MissingExtra: asyncssh is not installed.
        EdgeEffnetError: no such host, nobody answers, an unknown or changed host key, no key
            that the host accepts.
    """
    ssh = require_asyncssh()
    _log_no_lost_link(ssh)
    seen: list[Any] = []

    class Client(ssh.SSHClient):  # type: ignore[name-defined,misc]
        """Remembers the key of a host that is not known; never accepts it."""

        def validate_host_public_key(self, _host: str, _addr: str, _port: int, key: Any) -> bool:
            seen.append(key)
            return False

    options = None
    try:
        options = _options(ssh, address)
        connection = await ssh.connect(address.host, options=options, client_factory=Client)
    except ssh.HostKeyNotVerifiable as error:
        raise _untrusted(ssh, address, options, seen, str(error)) from error
    except (OSError, ssh.Error, TimeoutError, ValueError) as error:
        raise _refused(ssh, address, options, error) from error
    async with connection:
        yield connection


def _log_no_lost_link(ssh: Any) -> None:
    """Keep asyncio from logging a lost link once for each request that was on its way: it is one
    line of ours."""
    loop = asyncio.get_running_loop()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), OSError | ssh.Error):
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
    logging.getLogger("asyncio").addFilter(_is_no_lost_link)


def _is_no_lost_link(record: logging.LogRecord) -> bool:
    return "send() raised exception" not in record.getMessage()


def _options(ssh: Any, address: Address) -> Any:
    """The user's options for this host; the user name is ``pi`` where neither they nor their
    SSH configuration say another."""
    given: dict[str, Any] = {
        "config": (),  # the user's own
        "host": address.host,
        "connect_timeout": CONNECT_SECONDS,
        "keepalive_interval": KEEPALIVE_SECONDS,
    }
    if address.port:
        given["port"] = address.port
    if address.user:
        given["username"] = address.user
    options = ssh.SSHClientConnectionOptions(**given)
    if not address.user and options.config.get("User") is None:
        options = ssh.SSHClientConnectionOptions(**given, username=DEFAULT_USER)
    # Said here once and for all: ``UserKnownHostsFile none`` in a configuration would make asyncssh
    # trust whoever answers. Nothing said means ~/.ssh/known_hosts.
    known = options.known_hosts or b""
    return ssh.SSHClientConnectionOptions(options=options, known_hosts=known)


def no_answer(address: Address, seconds: float) -> EdgeEffnetError:
    """A host that took the connection and then said nothing."""
    return EdgeEffnetError(
        f"{address.host} accepts the connection and then does not answer",
        found=f"silence for {seconds} s",
        fix=f"see whether it is overloaded: {address.ssh} uptime; or switch it off and on",
    )


def _untrusted(
    ssh: Any, address: Address, options: Any, seen: list[Any], reason: str
) -> EdgeEffnetError:
    name = options.host_key_alias or options.host or address.host
    host = name if options.port in (22, (), None) else f"[{name}]:{options.port}"
    fingerprint = seen[-1].get_fingerprint() if seen else None
    kind = seen[-1].get_algorithm() if seen else ""
    found = f"{kind} {fingerprint}".strip() if fingerprint else reason
    if _knows_another(ssh, options, name):
        return EdgeEffnetError(
            f"{host} shows another host key than your known_hosts file has for it",
            found=found,
            expected="the key it had before: somebody else may be answering",
            fix="only if you set this Pi up anew, "
            f"{shlex.join(['ssh-keygen', '-R', host])} and then {address.ssh}",
        )
    return EdgeEffnetError(
        f"the host key of {host} is not known to you, so nothing was sent there",
        found=found,
        expected="a key in your known_hosts file",
        fix=f"type {_with_user(address, options)} once and answer yes if it shows the same "
        "fingerprint; the Pi tells its own with: "
        f"ssh-keygen -lf /etc/ssh/ssh_host_{_kind_of_key(kind)}_key.pub",
    )


def _kind_of_key(algorithm: str) -> str:
    return next((kind for kind in ("ecdsa", "rsa") if kind in algorithm), "ed25519")


def _with_user(address: Address, options: Any) -> str:
    return Address(address.host, options.username, address.port).ssh


def _knows_another(ssh: Any, options: Any, name: str) -> bool:
    port = options.port if options.port not in (22, (), None) else None
    known = options.known_hosts
    try:
        files = known or str(Path("~/.ssh/known_hosts").expanduser())
        keys, *_ = ssh.match_known_hosts(files, name, "", port)
    except (OSError, ValueError):
        return False
    return bool(keys)


def _refused(ssh: Any, address: Address, options: Any, error: Exception) -> EdgeEffnetError:
    """What a failed connection means and what to do."""
    said = getattr(error, "reason", "") or str(error) or type(error).__name__
    if isinstance(error, ssh.PermissionDenied):
        fix = _give_key(address, options)
        what = f"{address.host} accepts none of your SSH keys for the user {options.username!r}"
    elif isinstance(error, FileNotFoundError) and error.filename:
        what, said = "your SSH configuration names a file that is not there", str(error.filename)
        fix = f"if it is a key, make it: ssh-keygen -t ed25519 -f {shlex.quote(said)}"
    elif isinstance(error, TimeoutError):
        what, said = f"{address.host} does not answer", f"silence for {CONNECT_SECONDS} s"
        fix = "check that it is switched on and in this network"
    elif isinstance(error, ConnectionRefusedError):
        what = f"{address.host} runs no SSH server there"
        fix = "switch it on: sudo raspi-config, Interface Options, SSH"
        if address.port:
            fix += f"; or, if {address.port} is not its port, leave it out"
    elif isinstance(error, OSError) and not isinstance(error, ssh.Error):
        what = f"{address.host} cannot be reached"
        fix = (
            f"check the name and the network: {address.ssh}; hostname -I on the Pi tells the "
            "address to use in place of the name"
        )
    else:
        what, fix = f"SSH with {address.host} failed", f"see what this says: {address.ssh}"
    return EdgeEffnetError(what, found=said, fix=fix)


def _give_key(address: Address, options: Any) -> str:
    """How the user's key gets to the Pi; which key depends on what they have."""
    reached = _with_user(address, options).removeprefix("ssh ")
    named = make = ""
    if configured := options.config.get("IdentityFile"):
        named = f"-i {shlex.quote(str(Path(configured[0]).expanduser()))}.pub "
    elif not any(Path("~/.ssh").expanduser().glob("id_*")):
        make = "make a key: ssh-keygen -t ed25519; then "
    passphrase = "" if make else " (a key with a passphrase must be in your ssh-agent: ssh-add)"
    other = f"; if your name there is another: {replace(address, user='NAME').text}"
    return f"{make}give it your public key: ssh-copy-id {named}{reached}{passphrase}{other}"
