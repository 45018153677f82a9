"""The cache folder: where things lie, and how processes keep out of each other's way."""

from __future__ import annotations

import fcntl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

ARCHIVE = Path(sys.argv[0]).resolve()
ROOT = ARCHIVE.parent
FILES, JOBS = ROOT / "files", ROOT / "jobs"


def lock(file: Path, *, wait: bool) -> IO[str] | None:
    """The open file while it is locked by us; None where another process has it."""
    held = file.open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        held.close()
        return None
    return held


def is_locked(file: Path) -> bool:
    """Whether another process has locked it. Looking creates no file and keeps no one out."""
    try:
        with file.open() as opened:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def wait_for(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)


def write(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    part.write_text(text)
    part.rename(file)
