"""The folder for what can be fetched or found out again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``EDGE_EFFNET_CACHE``, else ``edge-effnet`` in the user's cache."""
    if chosen := os.environ.get("EDGE_EFFNET_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "edge-effnet"
