"""Files that take another's place, which stays beside: ``mine.before-20261129-101500.tflite``."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from edge_effnet.errors import cannot_write
from edge_effnet.files.before_names import kept_names, next_name
from edge_effnet.files.scratch import PartFile


def replace_keeping(path: Path, new: Path) -> Path:
    """Move a file to the place of another, which is kept beside; where.

    There is a whole file under ``path`` at every moment, also where a process is killed.

    Args:
        new: on the same disk.

    Raises:
        OutputError: nothing has changed, but for the file that was to be kept.
    """
    try:
        kept = path.with_name(next_name(path.name, _names_beside(path), datetime.now()))
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
    kept = kept_names(path.name, _names_beside(path))
    return path.with_name(kept[0]) if kept else None


def _names_beside(path: Path) -> list[str]:
    with suppress(OSError):
        return [one.name for one in path.parent.iterdir()]
    return []


def _write_through(folder: Path) -> None:
    """Renames too are on the disk when the power is cut."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
