"""Free space that no output of a run goes below."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEFAULT_FLOOR = "200MB"
FreeBytes = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class DiskFloor:
    """Bytes that stay free on a disk, whatever a run writes; ``free`` measures them."""

    floor_bytes: int
    free: FreeBytes = free_bytes

    def leaves_room(self, folder: Path, next_bytes: int) -> bool:
        """Whether so many bytes can be written into a folder that exists.

        Raises:
            OSError: the folder has gone.
        """
        return self.free(folder) - next_bytes >= self.floor_bytes
