"""What the last pull saw: where the Pi had each photo then, and how large. ``pulled.json`` in the
folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

from benchmarks.collected.listing import Photo
from edge_effnet.documents import Malformed, structure
from edge_effnet.errors import DataError
from edge_effnet.files.json_text import read_json
from edge_effnet.files.write import write_json_file

NAME = "pulled.json"
FORMAT, VERSION = "edge-effnet/pulled", 1


class _Photo(TypedDict):
    path: str
    bytes: int


class _Document(TypedDict):
    format: str
    version: int
    photos: dict[str, _Photo]


def read_record(folder: Path) -> dict[str, Photo]:
    """Photos on the Pi at the last pull, by name; nothing before the first.

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
    photos: Mapping[str, _Photo] = document["photos"]
    return {name: Photo(photo["path"], photo["bytes"]) for name, photo in photos.items()}


def write_record(folder: Path, photos: Iterable[Photo]) -> None:
    by_name = sorted(photos, key=lambda photo: photo.name)
    listed = {photo.name: {"path": photo.path, "bytes": photo.size} for photo in by_name}
    write_json_file(folder / NAME, {"format": FORMAT, "version": VERSION, "photos": listed})
