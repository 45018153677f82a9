"""Which model files have run on this machine before: a small list of hashes in the user's cache."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.cache import cache_folder
from edge_effnet.files.read import open_file
from edge_effnet.files.write import write_atomically

NAME = "models-that-ran.txt"
MOST = 1000  # the oldest are forgotten
_DIGITS = 64
_here: set[str] = set()  # by this process, also where nothing can be written


def key_of(model: bytes, runtime: str) -> str:
    """A file, the runtime and the kind of machine: another of these has to try it again."""
    where = hashlib.sha256(f"{runtime} {os.uname().machine}\n".encode())
    where.update(hashlib.sha256(model).digest())
    return where.hexdigest()


def is_known(key: str) -> bool:
    """Whether ``remember`` has been told, by this process or an earlier one."""
    return key in _here or key in _read()


def remember(key: str) -> None:
    """Add to the list; a folder that cannot be written is no error, the file is tried again."""
    _here.add(key)
    path = _path()
    if path is None:
        return
    kept = [*(old for old in _read() if old != key), key][-MOST:]
    try:
        write_atomically(path, "".join(f"{line}\n" for line in kept).encode(), overwrite=True)
    except EdgeEffnetError:
        return


def _read() -> list[str]:
    path = _path()
    if path is None:
        return []
    try:
        with open_file(path) as file:
            text = file.read(MOST * (_DIGITS + 1))
    except (EdgeEffnetError, OSError):
        return []
    words = text.decode("ascii", "replace").split()
    return [word for word in words if len(word) == _DIGITS and word.isalnum() and word.isascii()]


def _path() -> Path | None:
    try:
        return cache_folder() / NAME
    except RuntimeError:  # a user without a home
        return None
