"""Memory that this process has freed and the system has not got back."""

from __future__ import annotations

import ctypes


def give_back_freed() -> None:
    """Hand freed memory back to the system, where the C library can (glibc).

    It keeps the blocks that threads have freed for later ones, which for large images is more than
    all that is in use.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
