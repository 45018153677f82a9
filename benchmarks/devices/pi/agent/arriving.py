"""Files that come to this machine: what is there already, and those that have arrived."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Any

_PIECE = 1 << 20


_PART = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{16}\.part", re.DOTALL)


def look(request: dict[str, Any]) -> dict[str, Any]:
    """How each of ``request["files"]`` ([path, size, SHA-256]) stands here.

    ``absent``, ``same``, ``other`` (another file) or ``blocked`` (no file: a folder, say, or a
    file where a folder of the path should be). And the bytes that are free where they go, at
    ``request["folder"]``. Parts of these files that interrupted calls left, are removed.
    """
    _sweep({Path(path) for path, _size, _digest in request["files"]})
    states = [_state(Path(path), size, digest) for path, size, digest in request["files"]]
    folder = Path(request["folder"]).absolute()
    while not folder.is_dir():
        folder = folder.parent
    return {"states": states, "free_bytes": shutil.disk_usage(folder).free}


def make_folders(request: dict[str, Any]) -> None:
    """Make ``request["folders"]``, and those above them."""
    for folder in request["folders"]:
        Path(folder).mkdir(parents=True, exist_ok=True)


def place(request: dict[str, Any]) -> list[str]:
    """Give files that have arrived their names: ``request["files"]`` ([part, path, SHA-256]).

    ``placed``; ``damaged``, where another content arrived; ``taken``, where a file is there and
    ``request["replace"]`` is false.
    """
    return [
        _place(Path(part), Path(path), digest, replace=request["replace"])
        for part, path, digest in request["files"]
    ]


def _sweep(paths: set[Path]) -> None:
    for folder in {path.parent for path in paths}:
        for entry in folder.iterdir() if folder.is_dir() else ():
            part = _PART.fullmatch(entry.name)
            if part is not None and folder / part["name"] in paths:
                entry.unlink(missing_ok=True)


def _state(path: Path, size: int, digest: str) -> str:
    if path.is_file():
        return "same" if path.stat().st_size == size and _digest(path) == digest else "other"
    if os.path.lexists(path):
        return "blocked"
    above = next((one for one in path.parents if os.path.lexists(one)), Path())
    return "absent" if above.is_dir() else "blocked"


def _place(part: Path, path: Path, digest: str, *, replace: bool) -> str:
    if _digest(part) != digest:
        part.unlink()
        return "damaged"
    if replace:
        part.replace(path)
    elif not _named(part, path):
        part.unlink()
        return "taken"
    return "placed"


def _named(part: Path, path: Path) -> bool:
    """Whether the file has its name now; not where the name is another's."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:  # FAT knows no second names
        if os.path.lexists(path):
            return False
        part.rename(path)
        return True
    part.unlink()
    return True


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
