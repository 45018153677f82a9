"""The packages that a Pi without internet is given from here: ``--wheels``."""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

from edge_effnet.errors import DataError
from edge_effnet.files.read import content_hash
from edge_effnet.plurals import counted

_FIX = "edge-effnet push --help shows the pip download that fills the folder"


def wheel_files(folder: Path | None) -> dict[Path, str]:
    """The wheels in a folder, and their hashes; none without a folder.

    Raises:
        DataError: it holds none, or one that is damaged.
    """
    if folder is None:
        return {}
    paths = sorted(folder.glob("*.whl"))
    if not paths:
        raise DataError(
            f"{folder} holds no wheels",
            found=_what_is(folder),
            expected="files that end in .whl, for the Pi's Python and processor",
            fix=_FIX,
        )
    for path in paths:
        if not is_zipfile(path) or path.stem.count("-") not in (4, 5):
            raise DataError(
                f"{path} is no wheel that pip takes",
                found="a damaged file, or a name that pip did not give it",
                expected="a file as pip download wrote it",
                fix=f"remove it, and download it again; {_FIX}",
            )
    return {path: content_hash(path) for path in paths}


def _what_is(folder: Path) -> str:
    if not folder.is_dir():
        return "a file" if folder.exists() else "nothing there"
    count = sum(1 for _ in folder.iterdir())
    return f"{counted(count, 'other file')}" if count else "an empty folder"
