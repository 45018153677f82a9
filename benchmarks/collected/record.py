"""What the last pull saw: where the Pi had each photo then. ``pulled.json`` in the folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from edge_effnet.documents import Malformed, structure
from edge_effnet.errors import DataError
from edge_effnet.files.json_text import read_json
from edge_effnet.files.write import write_json_file

NAME = "pulled.json"
FORMAT, VERSION = "edge-effnet/pulled", 1


class _Document(TypedDict):
    format: str
    version: int
    photos: dict[str, str]


def read_record(folder: Path) -> dict[str, str]:
    """Place on the Pi at the last pull, by the photo's name; nothing before the first.

    Raises:
        DataError: it is damaged, or of a newer version.
    """
    path = folder / NAME
    if not path.exists():
        return {}
    try:
        document: Any = structure(read_json(path), _Document)
        if (document["format"], document["version"]) != (FORMAT, VERSION):
            raise ValueError(f"{document['format']} {document['version']}")
    except (ValueError, Malformed) as error:
        raise DataError(
            f"{path} is not what an earlier pull wrote",
            found=str(error)[:120],
            expected=f"{FORMAT}, version {VERSION}",
            fix="remove it: photos that were taken away here come again then",
        ) from error
    photos: dict[str, str] = document["photos"]
    return photos


def write_record(folder: Path, photos: Mapping[str, str]) -> None:
    document = {"format": FORMAT, "version": VERSION, "photos": dict(sorted(photos.items()))}
    write_json_file(folder / NAME, document)
