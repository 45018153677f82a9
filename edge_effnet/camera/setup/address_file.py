"""An address that stands in a file: with its password it stays out of the process list."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge_effnet.errors import DataError
from edge_effnet.files.limits import TEXT_BYTES
from edge_effnet.files.read import open_file, read_bytes

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_address_file(path: Path, option: str, example: str) -> str:
    """What ``option`` would say: the file's only line.

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
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) != 1 or not lines[0].isprintable():
        raise DataError(
            f"{path} is no file with an address",
            found=f"{len(lines)} lines" if len(lines) != 1 else "characters that are not printable",
            expected=f"one line of UTF-8, such as {example}",
            fix=f"write what {option} would say into it",
        )
    return lines[0]
