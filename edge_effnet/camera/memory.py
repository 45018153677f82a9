"""Keep the resident memory of a feed that runs for days where it was after its first minute."""

from __future__ import annotations

import ctypes
import sys

# Parameters of mallopt(3), from glibc's malloc.h.
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_FRAME_BYTES = 1 << 20
_ARENAS = 2


def keep_memory_flat() -> None:
    """Give frames pages of their own, gone when freed, and all threads two arenas between them.

    Left alone, glibc keeps the pages of the first large block that is freed and puts later
    frames between small blocks, where they leave gaps that fit nothing (its dynamic threshold);
    and every new thread, such as the decoders of a video that starts again, gets an arena of its
    own. Does nothing where the C library is another. Call it before the first frame.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _FRAME_BYTES)
        mallopt(_M_ARENA_MAX, _ARENAS)
