"""A list of files in shares, for machines that see the same files at the same place."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_effnet.errors import DataError
from edge_effnet.plurals import counted

SHARE = 64
"""Files: about half a second of one core; fewer cost more in sending, more leave workers idle at
the end."""


@dataclass(frozen=True)
class FileShare:
    """Files of one task, with their sizes in bytes where the list was made (None: not there)."""

    paths: tuple[Path, ...]
    sizes: tuple[int | None, ...]


@dataclass(frozen=True)
class Origin:
    """Where a list of files was made.

    Attributes:
        host: the machine's name.
        directory: that relative paths start from.
    """

    host: str
    directory: Path


def origin_here() -> Origin:
    """This machine and its current directory."""
    return Origin(socket.gethostname(), Path.cwd())


def file_shares(paths: Sequence[Path]) -> Iterator[FileShare]:
    """The list in shares that follow each other."""
    for start in range(0, len(paths), SHARE):
        part = tuple(paths[start : start + SHARE])
        yield FileShare(part, tuple(map(_size_bytes, part)))


def find_share(share: FileShare, origin: Origin) -> None:
    """Go to the directory where the list was made, and see that its files are the same here.

    Raises:
        DataError: some are missing here, or of another size.
    """
    if origin.directory.is_dir():
        os.chdir(origin.directory)
    own = [_size_bytes(path) for path in share.paths]
    differing = [index for index, size in enumerate(own) if size != share.sizes[index]]
    if not differing:
        return
    missing = [index for index in differing if own[index] is None]
    what, which = ("missing", missing) if missing else ("of another size", differing)
    raise DataError(
        f"the worker on {socket.gethostname()} has other images than this machine, {origin.host}",
        found=f"{len(which)} of {counted(len(own), 'image')} of its share {what}, such as "
        f"{share.paths[which[0]]}",
        expected="the same files at the same place on every machine",
        fix="put the images on a file system that all machines share, or copy them to each",
    )


def _size_bytes(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
