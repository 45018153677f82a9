"""Files that take another's place, which stays beside: ``mine.before-20261129-101500.tflite``."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from edge_effnet.errors import cannot_write
from edge_effnet.files.scratch import PartFile

_BEFORE, _MOMENT = ".before-", "%Y%m%d-%H%M%S"


def replace_keeping(path: Path, new: Path) -> Path:
    """Move a file to the place of another, which is kept beside; where.

    There is a whole file under ``path`` at every moment, also where a process is killed.

    Args:
        new: on the same disk.

    Raises:
        OutputError: nothing has changed, but for the file that was to be kept.
    """
    try:
        kept = _free_name(path)
        try:
            os.link(path, kept)
        except OSError:  # a disk without links, as FAT
            part = PartFile(path.parent)
            try:
                shutil.copyfile(path, part.path)
                part.path.replace(kept)
            finally:
                part.end()
        new.replace(path)
        _write_through(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    return kept


def newest_before(path: Path) -> Path | None:
    """The file that was there before, kept by ``replace_keeping``; None without one."""
    kept = sorted(path.parent.glob(f"{_glob_of(path.stem)}{_BEFORE}*{path.suffix}"))
    return kept[-1] if kept else None


def _glob_of(text: str) -> str:
    return "".join(f"[{one}]" if one in "*?[" else one for one in text)


def _free_name(path: Path) -> Path:
    moment = time.strftime(_MOMENT)
    for number in range(100):
        more = f"-{number:02d}" if number else ""
        kept = path.with_name(f"{path.stem}{_BEFORE}{moment}{more}{path.suffix}")
        if not kept.exists():
            return kept
    raise FileExistsError(f"{path.stem}{_BEFORE}{moment} is there a hundred times")


def _write_through(folder: Path) -> None:
    """Renames too are on the disk when the power is cut."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
