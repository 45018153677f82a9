"""An open connection to a Pi, and what can be asked of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import shlex
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.devices.pi.answers import ANSWERS, Line, Refusal, checked, lines_of
from benchmarks.devices.pi.package import build_agent
from benchmarks.ssh.connect import Address, connected, device_name, no_answer, require_asyncssh
from benchmarks.ssh.files import LinkLost, sftp_errors, start_sftp
from edge_effnet.errors import DataError, EdgeEffnetError, OutputError
from edge_effnet.files.limits import TEXT_BYTES
from edge_effnet.runtime.crash import RuntimeDied
from edge_effnet.system.cpu import cpu_name

if TYPE_CHECKING:
    import asyncssh

CACHE = ".cache/edge-effnet"  # below the home folder, where SFTP begins
OLDEST_PYTHON = (3, 11)
FILES_AT_A_TIME = 8
OPEN_SECONDS = 60
"""For everything before the first question of a command: reading a card that hangs has no end."""
Content = Path | bytes


@dataclass(frozen=True)
class Board:
    """A Pi that answers.

    Attributes:
        about: what the agent's ``describe`` told.
    """

    address: Address
    connection: asyncssh.SSHClientConnection
    sftp: asyncssh.SFTPClient
    agent: str
    about: Mapping[str, Any]

    @property
    def cpu(self) -> str:
        name = cpu_name(self.about["cpuinfo"]) or "an unknown CPU"
        return f"{name} ({self.about['machine']}, {self.about['bits']}-bit)"

    async def ask(
        self, verb: str, on_line: Callable[[Line], None] | None = None, **request: Any
    ) -> Any:
        """Call a verb of the agent and wait for its answer.

        Args:
            on_line: called with every line that comes before the answer.

        Raises:
            EdgeEffnetError: what the agent refuses, or an answer that is none.
            LinkLost: the connection broke.
        """
        ssh = require_asyncssh()
        try:
            process = await self.connection.create_process(
                shlex.join(["python3", self.agent, verb]), errors="replace"
            )
            process.stdin.write(json.dumps(request))
            process.stdin.write_eof()
            async for line in lines_of(process.stdout, self.address.host):
                if "answer" in line:
                    return checked(line["answer"], ANSWERS[verb], self.address.host)
                if "error" in line:
                    raise self._refusal(line["error"])
                if on_line is not None:
                    on_line(line)
            ended = await process.wait()
        except (OSError, ssh.DisconnectError, ssh.ChannelOpenError) as error:
            raise LinkLost from error
        if ended.exit_status is None and not ended.exit_signal:
            raise LinkLost
        raise self._broken(ended)

    def _refusal(self, error: Refusal) -> EdgeEffnetError:
        if "died" in error:
            return RuntimeDied(error["found"] or error["what"], self.cpu, error["died"])
        return EdgeEffnetError(error["what"], found=error["found"], fix=error["fix"])

    def _broken(self, ended: Any) -> EdgeEffnetError:
        last = (str(ended.stderr or "").strip().splitlines() or ["nothing"])[-1]
        if ended.exit_status == 127:
            return _no_python(self.address, last)
        return EdgeEffnetError(
            f"the helper on {self.address.host} stopped without an answer",
            found=last[:300],
            fix="remove what it keeps there, and try again: "
            f"edge-effnet bench --device {device_name(self.address.text)} --clean",
        )

    async def missing(self, files: Mapping[str, Content]) -> list[str]:
        """Which of these, named by their hash, are not there yet.

        Raises:
            OutputError: there is no room for them.
        """
        sizes = {key: _size(content) for key, content in files.items()}
        missing: list[str] = await self.ask("missing", files=sizes)
        needed = sum(sizes[key] for key in missing)
        if needed > self.about["free_bytes"]:
            raise OutputError(
                f"{self.address.host} has no room for {needed / 1e6:.0f} MB",
                found=f"{self.about['free_bytes'] / 1e6:.0f} MB free",
                fix="remove something there, or what earlier measurements left: "
                f"edge-effnet bench --device {device_name(self.address.text)} --clean",
            )
        return missing

    async def send(self, files: Mapping[str, Content], sent: Callable[[int], None]) -> None:
        """Copy files, named by their hash; ``sent`` is told how many are there.

        Raises:
            OutputError: not writable, or the disk is full.
        """
        count, turns = 0, asyncio.Semaphore(FILES_AT_A_TIME)

        async def one(key: str, content: Content) -> None:
            nonlocal count
            async with turns:
                await self.write(f"files/{key}", content)
            count += 1
            sent(count)

        await asyncio.gather(*(one(key, content) for key, content in files.items()))

    async def write(self, name: str, content: Content) -> None:
        """Write a file below the cache folder under a temporary name, then rename it."""
        target = f"{CACHE}/{name}"
        part = f"{target}.{secrets.token_hex(4)}.part"  # another host may be sending the same
        with self._sftp("did not take a file"):
            if isinstance(content, bytes):
                async with self.sftp.open(part, "wb") as file:
                    await file.write(content)
            else:
                await self.sftp.put(str(content), part)
            await self.sftp.posix_rename(part, target)

    async def make_folder(self, name: str) -> None:
        """Make a folder below the cache folder, and those above it.

        Raises:
            OutputError: not allowed, or the disk is full.
        """
        with self._sftp("did not take a file"):
            await self.sftp.makedirs(f"{CACHE}/{name}", exist_ok=True)

    async def read(self, name: str) -> bytes | None:
        """A file below the cache folder, None where there is none.

        Raises:
            DataError: it is larger than the limit for text.
            OutputError: it is no file, or one that may not be read.
        """
        with self._sftp(f"does not give {name}"):
            try:
                async with self.sftp.open(f"{CACHE}/{name}", "rb") as file:
                    content: bytes = await file.read(TEXT_BYTES.value + 1)
            except require_asyncssh().SFTPNoSuchFile:
                return None
        TEXT_BYTES.check(len(content), f"{name} on {self.address.host}", DataError, what="has")
        return content

    async def has_agent(self) -> bool:
        """Whether the agent is there."""
        with self._sftp("does not say what it has"):
            return bool(await self.sftp.exists(self.agent))

    def _sftp(self, refusal: str) -> AbstractContextManager[None]:
        fix = "look at its disk: df -h, and at who owns what is in ~/.cache there"
        return sftp_errors(self.address.host, refusal, fix)


@asynccontextmanager
async def board_at(address: Address) -> AsyncIterator[Board]:
    """Connect, put the agent there and see what kind of machine it is.

    Raises:
        EdgeEffnetError: as ``connected``; no Python there, one that is too old, or no answer.
    """
    async with connected(address) as connection, AsyncExitStack() as opened:
        try:
            try:
                async with asyncio.timeout(OPEN_SECONDS):
                    board = await _open_board(address, connection, opened)
            except TimeoutError as error:
                raise no_answer(address, OPEN_SECONDS) from error
            yield board
        except BaseException:
            connection.abort()  # closing in good order would wait for who may not answer
            raise


async def _open_board(
    address: Address, connection: asyncssh.SSHClientConnection, opened: AsyncExitStack
) -> Board:
    source = build_agent()
    agent = f"agent-{hashlib.sha256(source).hexdigest()[:16]}.pyz"
    sftp = await opened.enter_async_context(await start_sftp(connection, address))
    board = Board(address, connection, sftp, f"{CACHE}/{agent}", {})
    if not await board.has_agent():
        await board.make_folder("files")
        await board.write(agent, source)
    about = await board.ask("describe")
    if _version(about["python"]) < OLDEST_PYTHON:
        raise _no_python(address, f"Python {about['python']}")
    return replace(board, about=about)


def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")[:2]
    return tuple(int(part) for part in parts if part.isdecimal() and len(part) < 5)


def _no_python(address: Address, found: str) -> EdgeEffnetError:
    return EdgeEffnetError(
        f"{address.host} has no Python that runs edge-effnet",
        found=found,
        expected="Python {}.{} or newer".format(*OLDEST_PYTHON),
        fix="install Raspberry Pi OS Bookworm or newer",
    )


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
