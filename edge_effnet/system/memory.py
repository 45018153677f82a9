"""Memory: what this process has freed and the system has not got back, and what is left."""

from __future__ import annotations

import ctypes
from pathlib import Path

# malloc.h of glibc; elsewhere such numbers are refused or mean nothing.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGE_BYTES = 4 << 20


def give_back_freed() -> None:
    """Hand freed memory back to the system, where the C library can (glibc).

    It keeps the blocks that threads have freed for later ones, which for large images is more than
    all that is in use.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def give_back_large_blocks() -> None:
    """From now on hand blocks of 4 MB and more back to the system once they are freed (glibc).

    Left alone it keeps ever larger ones, and a small one behind them holds gigabytes.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            set_option(option, _LARGE_BYTES)


def available_bytes() -> int | None:
    """Memory that programs could still take, as Linux estimates it; None where nothing says so."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvail"))
    except (OSError, StopIteration, ValueError):
        return None
