"""Files of users, opened only where they are regular files, and read within a limit."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path

from edge_effnet.errors import DataError, EdgeEffnetError, cannot_read
from edge_effnet.files.limits import Limit

_PIECE = 2**16
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_file(path: Path) -> io.BufferedReader:
    """Open a file for reading; never waits, as opening a pipe without a writer would.

    Raises:
        DataError: it is no regular file, or the system refuses it.
    """
    try:
        refuse_irregular(path, path.stat().st_mode)  # opening some devices does something
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise cannot_read(path, error) from error
    except ValueError as error:  # a zero byte in the name
        raise DataError(f"{path} is no file name", found=str(error), fix="check it") from error
    try:
        refuse_irregular(path, os.fstat(file.fileno()).st_mode)
    except DataError:
        file.close()
        raise
    return file


def refuse_irregular(path: Path, mode: int) -> None:
    """Refuse what is there and no file, by its mode (``stat(2)``).

    Raises:
        DataError: a folder, a pipe, a socket or a device.
    """
    if stat.S_ISREG(mode):
        return
    raise DataError(
        f"{path} is no file",
        found=kind_of_mode(mode),
        expected="a regular file",
        fix="give a file in it"
        if stat.S_ISDIR(mode)
        else "give a file; save what a pipe brings into one first",
    )


def kind_of_mode(mode: int) -> str:
    """What there is that is no regular file, in words."""
    return next((name for test, name in _KINDS if test(mode)), "something else")


def read_bytes(path: Path, limit: Limit, error: type[EdgeEffnetError] = DataError) -> bytes:
    """A whole file.

    Raises:
        DataError: it is no regular file, or cannot be read.
        error: it is larger than the limit.
    """
    with open_file(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            limit.check(size, str(path), error, what="has")
            pieces = [file.read(size + 1)]  # no more: that much is allocated before it is read
            found = len(pieces[0])
            while more := file.read(min(_PIECE, limit.value + 1 - found)):
                pieces.append(more)  # /proc and a growing file state other sizes
                found += len(more)
        except OSError as failure:
            raise cannot_read(path, failure) from failure
    limit.check(found, str(path), error, what="has")
    return b"".join(pieces)


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes: two files with one hash are the same image.

    Raises:
        DataError: it is no regular file, or cannot be read.
    """
    with open_file(path) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise cannot_read(path, error) from error


def image_hash(path: Path) -> str:
    """``content_hash``, or that of its name where it cannot be read."""
    try:
        return content_hash(path)
    except DataError:
        return hashlib.sha256(os.fsencode(path.name)).hexdigest()
