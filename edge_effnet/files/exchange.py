"""Files that take another's place, which stays beside: ``mine.before-20261129-101500.tflite``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from edge_effnet.errors import cannot_write
from edge_effnet.files.before_names import kept_names, next_name
from edge_effnet.files.scratch import PartFile


def replace_keeping(pairs: Sequence[tuple[Path, Path]]) -> list[Path]:
    """Move files to the places of others, which are kept beside; where.

    There is a whole file under each name at every moment, also where a process is killed. Where
    one cannot be replaced, none is.

    Args:
        pairs: of a path, and the file that takes its place and is gone then.

    Raises:
        OutputError: nothing has changed.
    """
    kept: list[Path] = []
    parts: list[PartFile] = []
    path = Path()
    try:
        for path, new in pairs:  # all that may fail comes before the first is replaced
            parts.append(_beside(path, new))
            kept.append(_keep(path))
        for number, (path, _) in enumerate(pairs):
            try:
                parts[number].path.replace(path)
            except OSError:
                for done in range(number):
                    kept[done].replace(pairs[done][0])
                raise
        for path, new in pairs:
            new.unlink(missing_ok=True)
            _write_through(path.parent)
    except OSError as error:
        for one in kept:
            with suppress(OSError):
                one.unlink()
        raise cannot_write(path, error) from error
    finally:
        for part in parts:
            part.end()
    return kept


def _beside(path: Path, new: Path) -> PartFile:
    """The new file, whole, on the disk where it belongs."""
    part = PartFile(path.parent)
    try:
        with new.open("rb") as content:
            shutil.copyfileobj(content, part.file)
        part.sync()
    except BaseException:
        part.end()
        raise
    return part


def _keep(path: Path) -> Path:
    """Give a file a second name."""
    kept = path.with_name(next_name(path.name, _names_beside(path), datetime.now()))
    try:
        os.link(path, kept)
    except OSError:  # a disk without links, as FAT
        part = _beside(path, path)
        try:
            part.path.replace(kept)
        finally:
            part.end()
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
