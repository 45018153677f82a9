"""Locks that end with the process that holds them, however it ends.

Two processes that write one file or go on with one run would each undo what the other did: the
second is refused. A lock is a hidden file beside what it protects, held with ``flock(2)``. It is
removed at the end; one that a killed process left can be told by nobody holding it, and says
what that process had written there.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.errors import OutputError, cannot_write

LOCK_PREFIX = ".edge-effnet-lock"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL, errno.EBADF}
_PATIENCE_S = 0.3  # another process may be looking whether a lock is held


@dataclass
class _Claim:
    """A lock that this process holds.

    Attributes:
        left: SHA-256 of what a killed process had written to ``path``; None without one.
    """

    path: Path
    lock: Path
    descriptor: int
    left: str | None

    def note(self, wrote: str | None) -> None:
        about = {"process": os.getpid(), "file": self.path.name, "wrote": wrote}
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(about).encode(), 0)

    def end(self) -> None:
        with suppress(OSError):
            self.lock.unlink(missing_ok=True)  # before it is free: nobody can hold it by then
        os.close(self.descriptor)


_CLAIMS: dict[str, _Claim] = {}


def try_lock(descriptor: int, *, wait: bool = False) -> bool | None:
    """Whether an open file or folder is locked by us now; None where there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def still_there(descriptor: int, path: Path) -> bool:
    """Whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def lock_file(path: Path) -> Path:
    """Of a folder inside of it; of a file beside it, by a hash that is never too long a name."""
    if path.is_dir():
        return path / LOCK_PREFIX
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    return path.with_name(f"{LOCK_PREFIX}-{name}")


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a file that will be written, which need not be there yet, or the folder of a run.

    Args:
        wait: until it is free.

    Raises:
        OutputError: another process holds it, or the folder cannot be written.
    """
    with made_folder(path.parent):
        try:
            claim = _acquire(path, lock_file(path), wait=wait)
        except OSError as error:
            raise cannot_write(path, error) from error
        key = _key(path)
        _CLAIMS[key] = claim
        try:
            yield
        finally:
            del _CLAIMS[key]
            claim.end()


@contextmanager
def locked_run(folder: Path) -> Iterator[None]:
    """Hold the folder of a run, which is made where it is not there.

    Raises:
        OutputError: another process holds it, it cannot be written, or the run ends because
            nobody reads what it prints.
    """
    if folder.is_file():
        raise OutputError(f"{folder} is a file", expected="a folder", fix="choose another --run")
    with made_folder(folder), locked(folder):
        try:
            yield
        except BrokenPipeError as error:
            raise OutputError(
                f"the run in {folder} is not finished",
                found="nobody who reads what it prints",
                fix="send that to a file or to /dev/null, and go on with the run",
            ) from error


@contextmanager
def made_folder(path: Path) -> Iterator[None]:
    """Make a folder where it is not there; what nothing was written into is removed again.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        made = [one for one in (path, *path.parents) if not one.exists()]
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(
            f"{path} cannot be written",
            found="a file, or a link that leads nowhere, where a folder belongs",
            fix="choose another folder",
        ) from error
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        for one in made:
            with suppress(OSError):
                one.rmdir()


@contextmanager
def all_locked(paths: list[Path]) -> Iterator[None]:
    """Hold several.

    Raises:
        OutputError: as ``locked``; then none is held.
    """
    with ExitStack() as stack:
        for path in paths:
            stack.enter_context(locked(path))
        yield


def note_write(path: Path, digest: str) -> None:
    """Say what is about to stand in a file that this process holds; nothing for others."""
    if (claim := _CLAIMS.get(_key(path))) is not None:
        claim.note(digest)


def left_by_killed(path: Path) -> bool:
    """Whether a file holds exactly what a process wrote there that was killed before its end,
    and this process holds it now."""
    claim = _CLAIMS.get(_key(path))
    if claim is None or claim.left is None:
        return False
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == claim.left
    except OSError:
        return False


def _key(path: Path) -> str:
    return f"{os.path.realpath(path.parent)}/{path.name}"


def _acquire(path: Path, lock: Path, *, wait: bool) -> _Claim:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(lock, flags, 0o666)
        try:
            got = try_lock(descriptor, wait=wait)
            if got is not False and still_there(descriptor, lock):
                before = told_by(descriptor)
                claim = _Claim(path, lock, descriptor, before.get("wrote"))
                claim.note(claim.left)
                return claim
            holder = told_by(descriptor).get("process")
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if got is False and time.monotonic() > deadline:
            raise OutputError(
                f"{path} is being written by another process",
                found=f"process {holder}" if holder else None,
                fix="wait until it has ended, or choose another name",
            )
        if got is False:
            time.sleep(0.02)


def told_by(descriptor: int) -> dict[str, Any]:
    """What a lock file says; empty where it says nothing."""
    try:
        told = json.loads(os.pread(descriptor, 4096, 0))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
