"""A model takes its place on a Pi: copied beside it, read back, and renamed; the old one is kept.

At every moment the path holds a whole file, the old one or the new one, and what was replaced has
a name of its own before it is replaced. Nothing runs on the Pi for it but its SSH server.
"""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
from collections.abc import Callable
from datetime import datetime
from shlex import quote

from benchmarks.deploy.names import is_part, part_name, read_moment
from benchmarks.ssh.connect import require_asyncssh
from benchmarks.ssh.files import LinkLost, RemoteFiles
from benchmarks.ssh.running import Interrupted, is_stopping
from edge_effnet.errors import DataError, EdgeEffnetError, OutputError
from edge_effnet.files.before_names import kept_names, next_name
from edge_effnet.files.limits import MODEL_BYTES, REMOTE_FILES
from edge_effnet.stages import StartStage

_DATE_SECONDS = 10


async def find_path(remote: RemoteFiles, path: str | None, name: str) -> str:
    """Where a model called ``name`` goes: to ``path``, into it where it is a folder, else into
    the home folder.

    Raises:
        OutputError: there is something that is no file, or no folder to put it into.
    """
    if path is None:
        return name
    found = await remote.entry(path, follow=True)
    if found is not None and found.is_folder:
        path = posixpath.join(path, name)
        found = await remote.entry(path, follow=True)
    if found is not None and not found.is_file:
        raise OutputError(f"{path} on {remote.host} is no file", fix="give another path there")
    folder = posixpath.dirname(path)
    if found is None and folder and await remote.entry(folder, follow=True) is None:
        raise OutputError(
            f"{remote.host} has no folder {folder}",
            fix=f"make it: {remote.address.ssh} mkdir -p {quote(folder)}",
        )
    return path


async def read_model(remote: RemoteFiles, path: str) -> bytes | None:
    """A model on the Pi; None where there is none.

    Raises:
        DataError: it is larger than the limit.
    """
    found = await remote.read(path, MODEL_BYTES.value + 1)
    if found is not None:
        MODEL_BYTES.check(len(found), f"{path} on {remote.host}", DataError, what="has")
    return found


async def put_in_place(
    remote: RemoteFiles, path: str, content: bytes, old: bytes | None, stage: StartStage
) -> str | None:
    """Copy a model to the Pi and have it take the place of ``old``.

    Args:
        old: what is there; it is looked at again.

    Returns:
        The name under which the old one is kept; None where nothing was there.

    Raises:
        OutputError: the Pi refuses, or another file is there meanwhile.
        DataError: what arrived is not what was sent.
        EdgeEffnetError: the link broke in the moment of the rename.
        LinkLost: it broke before; the old file is in place.
    """
    folder, name = posixpath.split(path)
    part = posixpath.join(folder, part_name(name, hashlib.sha256(content).hexdigest()))
    await _sweep(remote, folder, name)
    try:
        await _copy(remote, part, content, stage)
        if old is None:
            await remote.rename(part, path)
            return None
        kept = await keep(remote, path, old)
        await replace(remote, part, path)
    except (EdgeEffnetError, asyncio.CancelledError) as error:  # the second by Ctrl-C
        if not await remote.clear([part]) and is_stopping():
            raise Interrupted(
                f"{remote.host} did not answer in time, so that {part} may be left there, which "
                "the next deploy to the same path removes"
            ) from error
        raise
    return kept


async def replace(remote: RemoteFiles, source: str, path: str) -> None:
    """Rename over the file at ``path``.

    Raises:
        EdgeEffnetError: the link broke meanwhile: it cannot be known whether it was done.
    """
    try:
        await remote.replace(source, path)
    except LinkLost as lost:
        raise EdgeEffnetError(
            f"the link to {remote.host} was lost in the moment in which {path} was replaced",
            found="either file may be in place, whole; both are kept there",
            fix="the same command again says which, and does the rest",
        ) from lost


async def keep(remote: RemoteFiles, path: str, content: bytes) -> str:
    """Give the file at ``path`` a second name, under which it stays; one that an interrupted
    call gave it will do.

    Args:
        content: of it, when it was compared.

    Returns:
        The name, without its folder.

    Raises:
        OutputError: another file is there meanwhile, or the Pi refuses.
    """
    folder, name = posixpath.split(path)
    names = [one.name for one in await remote.entries(folder or ".", REMOTE_FILES)]
    newest = kept_names(name, names)[:1]
    if newest and await read_model(remote, posixpath.join(folder, newest[0])) == content:
        kept = newest[0]
    else:
        kept = next_name(name, names, await _now(remote))
        await _keep_as(remote, path, posixpath.join(folder, kept), content)
    if await read_model(remote, path) != content:
        raise OutputError(
            f"{path} on {remote.host} was replaced by another file meanwhile",
            found="another file than the one that was compared",
            fix="the same command again compares with that one",
        )
    return kept


async def _keep_as(remote: RemoteFiles, path: str, kept: str, content: bytes) -> None:
    at = await remote.entry(path)  # a second name of a link would be another link
    if at is not None and at.is_file and await remote.link(path, kept):
        return
    if await remote.entry(kept) is not None:
        raise OutputError(
            f"{kept} is on {remote.host} already", expected="a free name", fix="try again"
        )
    part = posixpath.join(
        posixpath.dirname(kept),
        part_name(posixpath.basename(kept), hashlib.sha256(content).hexdigest()),
    )
    await remote.write(part, content, lambda _bytes: None)
    await remote.rename(part, kept)


async def _copy(remote: RemoteFiles, part: str, content: bytes, stage: StartStage) -> None:
    """Write it, and read it back: what the Pi has stored is what counts."""
    kilobytes = -(-len(content) // 1000)
    sent = stage(f"copying to {remote.host} (kB)", kilobytes)
    await remote.write(part, content, lambda count: sent(-(-count // 1000)))
    checked: Callable[[int], None] = stage("reading it back", None)
    stored = await remote.read(part, len(content) + 1)
    if stored != content:
        raise DataError(
            f"what arrived on {remote.host} is not what was sent",
            found="a file with another hash",
            fix="try again; if it happens again, its memory card may be damaged",
        )
    checked(1)


async def _sweep(remote: RemoteFiles, folder: str, name: str) -> None:
    """Remove what interrupted calls left."""
    for one in await remote.entries(folder or ".", REMOTE_FILES):
        if one.is_file and is_part(name, one.name):
            await remote.remove(posixpath.join(folder, one.name))


async def _now(remote: RemoteFiles) -> datetime:
    """The Pi's time, which its camera writes into names; ours where it does not say."""
    ssh = require_asyncssh()
    try:
        async with asyncio.timeout(_DATE_SECONDS):
            done = await remote.connection.run("date +%Y%m%d-%H%M%S", errors="replace")
    except (OSError, ssh.Error):
        return datetime.now()
    return read_moment(str(done.stdout)[-1000:]) or datetime.now()
