"""The packages that a Pi without internet is given from here: ``--wheels``."""

from __future__ import annotations

from pathlib import Path

from edge_effnet.errors import DataError
from edge_effnet.files.read import content_hash


def wheel_files(folder: Path | None) -> dict[Path, str]:
    """The wheels in a folder, and their hashes; none without a folder.

    Raises:
        DataError: it holds none.
    """
    if folder is None:
        return {}
    found = {path: content_hash(path) for path in sorted(folder.glob("*.whl"))}
    if not found:
        raise DataError(
            f"{folder} holds no wheels",
            expected="files that end in .whl, for the Pi's Python and processor",
            fix="fill it with pip download (edge-effnet bench --help shows how)",
        )
    return found
