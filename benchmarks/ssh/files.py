"""Files on a Pi over SFTP: read within limits, written under another name first."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.ssh.connect import Address, connected, no_answer, require_asyncssh
from edge_effnet.errors import DataError, EdgeEffnetError, OutputError
from edge_effnet.files.limits import Limit

if TYPE_CHECKING:
    import asyncssh

ANSWER_SECONDS = 60
"""For one request: a card that hangs has no end. Pieces are small, so that a slow link is none."""
PIECE_BYTES = 1 << 18
_LONGEST_NAME = 1024  # characters: more than any file system of a Pi allows (255 bytes)
_LOOK = "look at its disk and at who owns that folder: df -h, ls -l"


class LinkLost(Exception):
    """The connection broke while the Pi was at work, or it does not answer any more."""


@dataclass(frozen=True)
class Entry:
    """What a Pi says of something in one of its folders.

    Attributes:
        mode: as in ``stat(2)``, of a link its own; 0 where it does not say.
        modified_s: time of the last change, by its clock.
    """

    name: str
    mode: int
    size: int
    modified_s: int

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


@dataclass(frozen=True)
class RemoteFiles:
    """The files of a Pi that answers; relative paths begin in the home folder.

    ``address`` has the user whom the Pi knows, so that the commands it makes run anywhere.

    Each function ends in one line (an ``EdgeEffnetError``) or in ``LinkLost``.
    """

    address: Address
    connection: asyncssh.SSHClientConnection
    sftp: asyncssh.SFTPClient

    @property
    def host(self) -> str:
        return self.address.host

    async def entry(self, path: str, *, follow: bool = False) -> Entry | None:
        """What is there; None where nothing is.

        Args:
            follow: links, to what they lead to.
        """
        with self._errors(f"does not show {path}"):
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    found = await (self.sftp.stat(path) if follow else self.sftp.lstat(path))
            except _absent():
                return None
        return _entry(path, found)

    async def entries(self, path: str, most: Limit) -> list[Entry]:
        """What is in a folder; nothing where there is none.

        Args:
            most: entries at most.

        Raises:
            DataError: there are more, or a name is longer than any there can be.
        """
        found: list[Entry] = []
        with self._errors(f"does not show what is in {path}"):
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    async for one in self.sftp.scandir(path):
                        self._refuse_long(str(one.filename), path)
                        found.append(_entry(str(one.filename), one.attrs))
                        most.check(len(found), f"{path} on {self.host}", DataError, what="has")
            except _absent():
                return []
        return [one for one in found if one.name not in (".", "..")]

    async def read(self, path: str, most_bytes: int) -> bytes | None:
        """A file, ``most_bytes`` of it at most; None where there is none."""
        pieces, length = list[bytes](), 0
        with self._errors(f"does not give {path}"):
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    file: Any = await self.sftp.open(path, "rb")  # gives bytes
            except _absent():
                return None
            try:
                while length < most_bytes:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        piece = await file.read(min(PIECE_BYTES, most_bytes - length), length)
                    if not piece:
                        break
                    pieces.append(piece)
                    length += len(piece)
            finally:
                await _close(file)
        return b"".join(pieces)

    async def write(self, path: str, content: bytes, sent: Callable[[int], None]) -> None:
        """Write a file in place, and have it written to the Pi's disk; ``sent`` is told the bytes
        that are there."""
        with self._errors("did not take a file"):
            async with asyncio.timeout(ANSWER_SECONDS):
                file = await self.sftp.open(path, "wb")
            try:
                for at in range(0, len(content), PIECE_BYTES):
                    piece = content[at : at + PIECE_BYTES]
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await file.write(piece, at)
                    sent(at + len(piece))
                with suppress(require_asyncssh().SFTPOpUnsupported):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await file.fsync()
            finally:
                await _close(file)

    async def link(self, path: str, other: str) -> bool:
        """Give a file a second name, which is free; False where its disk knows none."""
        ssh = require_asyncssh()
        with self._errors(f"does not keep {path}"):
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self.sftp.link(path, other)
            except (ssh.SFTPOpUnsupported, ssh.SFTPFailure):  # FAT, or the name is taken
                return False
        return True

    async def replace(self, path: str, other: str) -> None:
        """Rename a file; what was there under the other name is replaced in the same moment."""
        with self._errors(f"does not replace {other}"):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.sftp.posix_rename(path, other)

    async def rename(self, path: str, other: str) -> None:
        """Rename a file to a name that is free.

        Raises:
            OutputError: it is not, among others.
        """
        with self._errors(f"does not make {other}"):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.sftp.rename(path, other)

    async def remove(self, path: str) -> None:
        """Remove a file."""
        with self._errors(f"does not remove {path}"):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.sftp.remove(path)

    def _refuse_long(self, name: str, path: str) -> None:
        if len(name) > _LONGEST_NAME:
            raise DataError(
                f"{path} on {self.host} has a name that no file can have",
                found=f"{len(name):,} characters",
                expected="255 at most",
                fix="make sure that it is the Pi that you mean",
            )

    def _errors(self, refusal: str) -> Any:
        return sftp_errors(self.host, refusal, _LOOK)


@asynccontextmanager
async def files_at(address: Address) -> AsyncIterator[RemoteFiles]:
    """Connect, for as long as the block runs.

    Raises:
        EdgeEffnetError: as ``connected``; it takes no files, or does not answer.
    """
    async with connected(address) as connection:
        try:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    sftp = await start_sftp(connection, address)
            except TimeoutError as error:
                raise no_answer(address, ANSWER_SECONDS) from error
            user = connection.get_extra_info("username")
            yield RemoteFiles(replace(address, user=user), connection, sftp)
        except BaseException:
            connection.abort()  # closing in good order would wait for who may not answer
            raise


async def start_sftp(
    connection: asyncssh.SSHClientConnection, address: Address
) -> asyncssh.SFTPClient:
    """Names that are no UTF-8 come as Python holds them, with surrogates.

    Raises:
        EdgeEffnetError: the host takes no files.
    """
    try:
        return await connection.start_sftp_client(path_errors="surrogateescape")
    except require_asyncssh().Error as error:
        raise EdgeEffnetError(
            f"{address.host} takes no files",
            found=getattr(error, "reason", "") or str(error),
            fix="switch SFTP on in its /etc/ssh/sshd_config (Subsystem sftp internal-sftp)",
        ) from error


@contextmanager
def sftp_errors(host: str, refusal: str, fix: str) -> Iterator[None]:
    """What goes wrong with files there, in one line.

    Raises:
        OutputError: the host refuses; ``refusal`` says what.
        LinkLost: the connection broke.
    """
    ssh = require_asyncssh()
    try:
        yield
    except (ssh.SFTPConnectionLost, ssh.SFTPNoConnection, ssh.DisconnectError) as error:
        raise LinkLost from error
    except (ConnectionError, TimeoutError) as error:
        raise LinkLost from error
    except (OSError, ssh.SFTPError) as error:
        raise OutputError(
            f"{host} {refusal}", found=getattr(error, "reason", "") or str(error), fix=fix
        ) from error


def _absent() -> tuple[type[Exception], ...]:
    ssh = require_asyncssh()
    return ssh.SFTPNoSuchFile, ssh.SFTPNoSuchPath


def _entry(name: str, attributes: Any) -> Entry:
    return Entry(
        name, attributes.permissions or 0, attributes.size or 0, int(attributes.mtime or 0)
    )


async def _close(file: Any) -> None:
    with suppress(Exception):  # what matters was said by reading or writing
        async with asyncio.timeout(ANSWER_SECONDS):
            await file.close()
