"""Files and folders for the time of a command, under names of their own.

    .edge-effnet-part-…      beside a file that is being written
    .edge-effnet-scratch-…   a folder beside results; in the system's folder without the dot

Each is locked by its owner for as long as it lives. What a killed process left is therefore told
from what is in use, and the next process that writes in the same folder removes it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge_effnet.files.locks import LOCK_PREFIX, still_there, told_by, try_lock

_PART, _SCRATCH = ".edge-effnet-part-", "edge-effnet-scratch-"
TEMPORARY = (_PART, _SCRATCH, f".{_SCRATCH}", LOCK_PREFIX)
"""How the names begin of what is swept."""
_swept: set[tuple[int, int]] = set()


class PartFile:
    """A file that is being written, and will be moved to its place.

    Attributes:
        file: open for writing.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        sweep(folder)
        while True:
            self.path = folder / f"{_PART}{os.urandom(8).hex()}"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self.file = os.fdopen(os.open(self.path, flags, 0o666), "wb")
            descriptor = self.file.fileno()
            try_lock(descriptor, wait=True)
            if still_there(descriptor, self.path):  # else it was swept before it was locked
                return
            self.file.close()

    def write(self, data: bytes) -> None:
        """Write all of it, through to the disk."""
        self.file.write(data)
        self.sync()

    def sync(self) -> None:
        """Write what was written through to the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def end(self) -> None:
        """Remove it, where it was not moved."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        with suppress(OSError):  # what is buffered does not fit either
            self.file.close()


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Path]:
    """A private folder, removed at the end of the block.

    Args:
        parent: which must be there; by default the system's folder for temporary files.

    Raises:
        OSError: it cannot be made.
    """
    import shutil  # late: most commands only read
    import tempfile

    place = Path(tempfile.gettempdir()) if parent is None else parent
    prefix = _SCRATCH if parent is None else f".{_SCRATCH}"
    sweep(place)
    while True:
        folder = place / f"{prefix}{os.urandom(8).hex()}"
        folder.mkdir(mode=0o700)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(folder, flags)
        try_lock(descriptor, wait=True)
        if still_there(descriptor, folder):
            break
        os.close(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what killed processes left in a folder; once in the life of a process."""
    try:
        about = folder.stat()
        place = about.st_dev, about.st_ino
        if place in _swept:
            return
        _swept.add(place)
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(TEMPORARY)]
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            _remove_where_dead(folder / name)


def _remove_where_dead(path: Path) -> None:
    mode = path.lstat().st_mode
    access = os.O_RDONLY if stat.S_ISDIR(mode) else os.O_RDWR
    descriptor = os.open(path, access | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        about = os.fstat(descriptor)
        if about.st_uid != os.geteuid() or not try_lock(descriptor):
            return
        if stat.S_ISDIR(about.st_mode):
            import shutil

            shutil.rmtree(path, ignore_errors=True)
        elif stat.S_ISREG(about.st_mode) and not _still_tells(path, descriptor):
            path.unlink()
    finally:
        os.close(descriptor)


def _still_tells(path: Path, descriptor: int) -> bool:
    """Whether a lock tells who comes next what a killed process had written, see ``locks``."""
    told = told_by(descriptor) if path.name.startswith(LOCK_PREFIX) else {}
    return bool(told.get("wrote")) and (path.parent / str(told.get("file"))).exists()
