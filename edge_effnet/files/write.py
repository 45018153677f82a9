"""Files written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from edge_effnet.errors import OutputError, cannot_write


def write_atomically(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file under a temporary name beside its place, then rename it.

    Raises:
        OutputError: the file exists and ``overwrite`` is False; the folder is not writable;
            the disk is full. The old file, if any, is untouched.
    """
    refuse_existing(path, overwrite=overwrite)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".edge-effnet-", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)  # mkstemp makes it private
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_json_file(path: Path, document: Any) -> None:
    """Write JSON for people and programs, in place of an earlier file.

    Raises:
        OutputError: it cannot be written; the file before is untouched.
    """
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode(), overwrite=True)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise OutputError when a file is already there and may not be replaced, or when what is
    there is no file: a folder, or a device such as /dev/null."""
    try:
        there, replaceable = path.exists(), path.is_file()
    except OSError as error:  # a name too long, a folder on the way that may not be entered
        raise cannot_write(path, error, fix="choose another name or folder") from error
    if there and not replaceable:
        raise OutputError(
            f"{path} is not a file that could be replaced",
            found="a folder" if path.is_dir() else "a device",
            expected="a file name",
            fix="choose another name",
        )
    if there and not overwrite:
        raise OutputError(
            f"{path} already exists",
            expected="a free name",
            fix="choose another name, remove it, or add --force",
        )
