"""What tells one image file from another: the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from edge_effnet.errors import DataError


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes: two files with one hash are the same image."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read", found=error.strerror or str(error), fix="check the file"
        ) from error


def image_hash(path: Path) -> str:
    """``content_hash``, or that of its name where it cannot be read."""
    try:
        return content_hash(path)
    except DataError:
        return hashlib.sha256(os.fsencode(path.name)).hexdigest()
