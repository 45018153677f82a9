"""Photos of one press of a button: frames of one moment, of which none may evaluate what others
taught.

``camera --collect`` names them so: ``burst-20261129-101500-3-0007.jpg``, the moment and number of
the press, and the place of the photo in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_NAME = re.compile(r"(burst-\d{8}-\d{6}-\d+)-\d+\.\w+")


def burst_name(moment: str, press: int, place: int) -> str:
    """Args: moment: of the first photo, as ``20261129-101500``."""
    return f"burst-{moment}-{press}-{place:04d}.jpg"


def burst_of(path: Path) -> str | None:
    """What the photos of one press have in common; None for any other photo."""
    found = _NAME.fullmatch(path.name)
    return found[1] if found else None


def join_bursts(group: NDArray[np.int64], paths: Iterable[Path]) -> NDArray[np.int64]:
    """Give the photos of one press one number, and all that had the number of one of them.

    Args:
        group: (images,), the same number for what must not be parted.
        paths: of the same images.
    """
    joined, first = group.copy(), dict[str, int]()
    for index, path in enumerate(paths):
        if (burst := burst_of(path)) is not None:
            number = joined[first.setdefault(burst, index)]
            joined[joined == joined[index]] = number
    return joined
