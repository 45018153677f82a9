"""A source that stands in a file: an address with a password stays out of the process list."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge_effnet.errors import DataError
from edge_effnet.files.limits import TEXT_BYTES
from edge_effnet.files.read import open_file, read_bytes

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_source_file(path: Path) -> str:
    """What ``--source`` would say: the file's only line.

    Raises:
        DataError: it cannot be read, others than its owner may read or write it, or it is no
            single line.
    """
    with open_file(path) as file:
        mode = os.fstat(file.fileno()).st_mode
    if mode & _OTHERS:
        raise DataError(
            f"{path} is open to other users, and may hold a password",
            found=f"mode {stat.S_IMODE(mode):03o}",
            expected="mode 600",
            fix=f"chmod 600 {path}",
        )
    text = read_bytes(path, TEXT_BYTES).decode("utf-8-sig", "surrogateescape")
    sources = [line.strip() for line in text.split("\n") if line.strip()]
    if len(sources) != 1 or not sources[0].isprintable():
        raise DataError(
            f"{path} is no file with a source",
            found=f"{len(sources)} lines"
            if len(sources) != 1
            else "characters that are not printable",
            expected="one line of UTF-8, such as http://user:password@192.168.1.20/stream.mjpg",
            fix="write what --source would say into it",
        )
    return sources[0]
