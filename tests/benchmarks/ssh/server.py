"""A host with a real SSH and SFTP server on loopback, and a user whose SSH files reach it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

DATE = "20261129-101500"


Files = asyncssh.SFTPServer


@dataclass(frozen=True)
class Pi:
    """A running host.

    Attributes:
        home: what its SFTP server shows.
    """

    home: Path

    def file(self, path: str, content: bytes = b"x") -> Path:
        """Put a file there."""
        target = self.home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def names(self, folder: str = ".") -> list[str]:
        return sorted(one.name for one in (self.home / folder).iterdir())


@contextmanager
def running_pi(
    home: Path,
    user_home: Path,
    alias: str = "pi4",
    *,
    files: type[asyncssh.SFTPServer] = Files,
    users: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> Iterator[Pi]:
    """A host that the user reaches as ``alias``.

    Args:
        files: what stands behind SFTP there, for hosts that lie.
        users: those it lets in; all without any.
        variables: run what is asked for, in ``home``, with these variables of the environment;
            without it, whatever is asked for prints the date.
    """
    connections = list[asyncssh.SSHServerConnection]()

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

        def begin_auth(self, username: str) -> bool:
            return bool(users) and username not in users

    async def date(process: asyncssh.SSHServerProcess[str]) -> None:
        process.stdout.write(f"Welcome!\n{DATE}\n")
        process.exit(0)

    python = Path(sys.base_prefix) / "bin"  # not a slow pyenv shim

    async def run(process: asyncssh.SSHServerProcess[bytes]) -> None:
        done = await asyncio.to_thread(
            subprocess.run,
            ["sh", "-c", process.command or "true"],
            input=await process.stdin.read(),
            capture_output=True,
            cwd=home,
            env={"HOME": str(home), "PATH": f"{python}:{os.environ['PATH']}", **(variables or {})},
            check=False,
        )
        process.stdout.write(done.stdout)
        process.stderr.write(done.stderr)
        process.exit(done.returncode)

    key = asyncssh.generate_private_key("ssh-ed25519")
    ready, found = threading.Event(), list[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]]()

    async def serve() -> None:
        server = await asyncssh.create_server(
            Server,
            "127.0.0.1",
            0,
            server_host_keys=[key],
            process_factory=date if variables is None else run,
            encoding=None if variables is not None else "utf-8",
            sftp_factory=lambda channel: files(channel, chroot=os.fsencode(home)),
        )
        stop = asyncio.Event()
        found.append((asyncio.get_running_loop(), stop, server.get_port()))
        ready.set()
        async with server:
            await stop.wait()
            for one in connections:
                one.abort()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    loop, stop, port = found[0]
    _let_know(user_home, alias, port, key.export_public_key().decode())
    try:
        yield Pi(home)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)


def _let_know(user_home: Path, alias: str, port: int, key: str) -> None:
    folder = user_home / ".ssh"
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "known_hosts"
    with (folder / "config").open("a") as config:
        config.write(
            f"Host {alias}\n HostName 127.0.0.1\n Port {port}\n UserKnownHostsFile {known}\n"
        )
    with known.open("a") as lines:
        lines.write(f"[127.0.0.1]:{port} {key}")
