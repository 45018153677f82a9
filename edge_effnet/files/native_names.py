"""File names for native libraries."""

from __future__ import annotations

import os
from pathlib import Path

from edge_effnet.errors import EdgeEffnetError


def native_name(path: Path, error: type[EdgeEffnetError]) -> str:
    """A file's name as OpenCV and FFmpeg take it: absolute, so that no part of it reads as a
    protocol (``pipe:0``), and UTF-8: a name that is none ends the process without a word.

    Raises:
        error: it is not UTF-8.
    """
    name = os.path.abspath(path)  # noqa: PTH100 (resolve would follow links)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise error(
            f"{path} cannot be opened by OpenCV",
            found="a name or folder that is not UTF-8",
            fix="rename it",
        ) from None
    return name
