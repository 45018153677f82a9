"""How many cores there are to work with."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Cores this process may use: what taskset or a container leaves of the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
