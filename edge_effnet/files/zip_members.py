"""Members of zip archives, read after what they claim was checked.

A member states its own size, and what is left out of it packs down to a thousandth. Besides
deflate no compression is read: of the others zipfile unpacks whatever they unpack to.
"""

from __future__ import annotations

import os
import re
import struct
import zipfile
from typing import BinaryIO

from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.limits import Limit

_FREE_BYTES = 64 << 20  # up to here a high ratio harms nobody
_HIGHEST_RATIO = 50  # weights shrink by a tenth, to a third where many are zero
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MOST_DIRECTORY_BYTES = 4 << 20  # some 40,000 members; each takes 600 bytes of memory
_LONGEST_END = (1 << 16) + 22 + 20 + 56  # comment, end of directory, and the two of zip64


def read_member(
    archive: zipfile.ZipFile,
    name: str,
    limit: Limit,
    owner: str,
    error: type[EdgeEffnetError],
) -> bytes:
    """A member's bytes.

    Args:
        owner: the archive's name, for messages.

    Raises:
        error: encrypted, of another compression, or more than the limit.
        zipfile.BadZipFile, zlib.error and others of ``DAMAGE``: it is damaged.
        KeyError: there is no such member.
    """
    entry = archive.getinfo(name)
    refuse_unreadable([entry], limit, owner, error)
    with archive.open(entry) as member:
        return member.read(entry.file_size)


def refuse_unreadable(
    entries: list[zipfile.ZipInfo], limit: Limit, owner: str, error: type[EdgeEffnetError]
) -> None:
    """Refuse members that cannot be read, or would unpack to too much, all told.

    Raises:
        error: as ``read_member``.
    """
    for entry in entries:
        if entry.flag_bits & 1:
            raise error(
                f"{owner} is a zip archive with a password",
                found=f"{entry.filename}, encrypted",
                fix="unpack it, and give the file in it",
            )
        if entry.compress_type not in _METHODS:
            raise error(
                f"{owner} is a zip archive in a compression that is not read here",
                found=f"{entry.filename}, method {entry.compress_type}",
                expected="stored or deflated files",
                fix="unpack it, and give the file in it",
            )
    packed = sum(entry.compress_size for entry in entries)
    whole = sum(entry.file_size for entry in entries)
    limit.check(whole, owner, error, what="unpacks to")
    if whole > max(_FREE_BYTES, _HIGHEST_RATIO * packed):
        raise error(
            f"{owner} unpacks to more than a model takes",
            found=f"{entries[0].filename}: {whole} bytes from {packed}",
            expected=f"no more than {_HIGHEST_RATIO} from one",
            fix="give the model's own file",
        )


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Open an archive whose directory is no longer than one of models needs.

    Raises:
        zipfile.BadZipFile: it is, or it is damaged.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LONGEST_END))
    if _directory_bytes(file.read(_LONGEST_END)) > _MOST_DIRECTORY_BYTES:
        raise zipfile.BadZipFile("a directory of more files than a model has")
    file.seek(0)
    return zipfile.ZipFile(file)


def _directory_bytes(tail: bytes) -> int:
    """The length of the directory, as the end of an archive states it: the largest of all that may
    be taken for an end, which can hold another's signature; 0 where there is none."""
    places = (found.start() for found in re.finditer(b"PK\x05\x06", tail))
    return max((_stated_bytes(tail, place) for place in places), default=0)


def _stated_bytes(tail: bytes, end: int) -> int:
    if len(tail) < end + 22:
        return 0
    stated = int(struct.unpack_from("<I", tail, end + 12)[0])
    large = end - 20 - 56  # of zip64: its own end of the directory, and where that is
    if large >= 0 and tail[end - 20 :].startswith(b"PK\x06\x07"):
        stated = max(stated, *struct.unpack_from("<Q", tail, large + 40))
    return stated
