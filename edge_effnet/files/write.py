"""Files written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_effnet.errors import OutputError, cannot_write
from edge_effnet.files.locks import left_by_killed, note_write
from edge_effnet.files.read import kind_of_mode
from edge_effnet.files.scratch import PartFile
from edge_effnet.printable import without_surrogates


def write_atomically(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file under a temporary name beside its place, then rename it.

    Raises:
        OutputError: the file exists and ``overwrite`` is False; the folder is not writable;
            the disk is full. The old file, if any, is untouched.
    """
    write_together({path: data}, overwrite=overwrite)


def write_together(files: Mapping[Path, bytes], *, overwrite: bool = False) -> None:
    """Write files that belong together: none takes its place before all are on the disk.

    Raises:
        OutputError: as ``write_atomically``; all old files are untouched.
    """
    for path in files:
        refuse_existing(path, overwrite=overwrite)
    parts: dict[Path, PartFile] = {}
    path = Path()
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            parts[path] = PartFile(path.parent)
            parts[path].write(data)
        for path, part in parts.items():
            note_write(path, hashlib.sha256(files[path]).hexdigest())
            part.path.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        for part in parts.values():
            part.end()


def dump_json(document: Any, *, indent: int | None = 1) -> str:
    r"""JSON for people and programs, in characters that UTF-8 has.

    A file name that is no UTF-8 holds lone surrogates; they become JSON's own escape,
    ``\udce9``, of which any reader of JSON makes the same name again.
    """
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def json_bytes(document: Any, *, indent: int | None = 1) -> bytes:
    """``dump_json`` with a line feed, as UTF-8."""
    return (dump_json(document, indent=indent) + "\n").encode()


def text_bytes(text: str) -> bytes:
    r"""Text for people as UTF-8; of names that are no UTF-8 the byte is shown: ``caf\xe9``."""
    return without_surrogates(text).encode()


def write_json_file(path: Path, document: Any) -> None:
    """Write JSON for people and programs, in place of an earlier file.

    Raises:
        OutputError: it cannot be written; the file before is untouched.
    """
    write_atomically(path, json_bytes(document), overwrite=True)


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
            found=kind_of_mode(path.stat().st_mode),
            expected="a file name",
            fix="choose another name",
        )
    if there and not overwrite and not left_by_killed(path):
        raise OutputError(
            f"{path} already exists",
            expected="a free name",
            fix="choose another name, remove it, or add --force",
        )
