"""The photos of a folder that ``camera --collect`` fills, on a Pi and here.

A Pi may say anything: of what it names, plain files with plain names in the places of the layout
are taken, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ssh.files import Entry, RemoteFiles
from edge_effnet.camera.collecting.layout import DISCARDED, LINES, PHOTOS, TO_LABEL
from edge_effnet.errors import DataError
from edge_effnet.files.limits import COLLECTED_BYTES, FRAME_BYTES, REMOTE_FILES
from edge_effnet.printable import printable

_SUFFIX = ".jpg"
_LONGEST_NAME = 255  # bytes, as file systems have it


@dataclass(frozen=True)
class Photo:
    """A photo on the Pi: its path in the folder, ``photos/CLASS/NAME.jpg``,
    ``to-label/NAME.jpg`` or ``discarded/NAME.jpg``, and its bytes."""

    path: str
    size: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_discarded(self) -> bool:
        return self.path.startswith(f"{DISCARDED}/")


@dataclass(frozen=True)
class Listing:
    """What is in the folder on the Pi.

    Attributes:
        photos: by name; several where one name is in several places.
        line_bytes: of ``frames.jsonl``; None without one.
        left: what is not taken, and why.
    """

    photos: Mapping[str, tuple[Photo, ...]]
    line_bytes: int | None
    left: tuple[str, ...]


async def list_collected(remote: RemoteFiles, folder: str) -> Listing:
    """Look into the folder on the Pi.

    Raises:
        DataError: no such folder, none of ``camera --collect``, or one beyond the limits.
    """
    at = await remote.entry(folder, follow=True)
    if at is None or not at.is_folder:
        raise DataError(
            f"{remote.host} has no folder {folder}",
            expected="the folder that camera --collect fills there",
            fix=f"see what is there: {remote.address.ssh} ls",
        )
    inside = {one.name: one for one in await remote.entries(folder, REMOTE_FILES)}
    if not {PHOTOS, TO_LABEL, LINES} & set(inside):
        raise DataError(
            f"{folder} on {remote.host} is not a folder that camera --collect fills",
            found=", ".join(sorted(inside)[:3]) or "nothing in it",
            expected=f"{PHOTOS}, {TO_LABEL} or {LINES}",
            fix="give the folder that stands behind camera --collect there",
        )
    photos: list[Photo] = []
    left: list[str] = []

    async def take(place: str) -> None:
        for one in await remote.entries(f"{folder}/{place}", REMOTE_FILES):
            _sort_in(one, place, photos, left)
        count = len(photos) + len(left)
        REMOTE_FILES.check(count, f"{folder} on {remote.host}", DataError, what="has")

    classes: list[Entry] = []
    if _is_folder_of_layout(inside.get(PHOTOS), left):
        classes = await remote.entries(f"{folder}/{PHOTOS}", REMOTE_FILES)
    for one in classes:
        if one.name.startswith("."):
            continue
        if one.is_folder and is_plain(one.name):
            await take(f"{PHOTOS}/{one.name}")
        else:
            left.append(f"{PHOTOS}/{one.name}: no folder of a class")
    for place in (TO_LABEL, DISCARDED):
        if _is_folder_of_layout(inside.get(place), left):
            await take(place)
    size = sum(photo.size for photo in photos if not photo.is_discarded)
    COLLECTED_BYTES.check(size, f"{folder} on {remote.host}", DataError, what="has")
    lines = inside.get(LINES)
    return Listing(_by_name(photos), lines.size if lines and lines.is_file else None, tuple(left))


def is_plain(name: str) -> bool:
    """Whether a name is one visible part of a path, and no more, on any system."""
    return (
        name == printable(name) == name.strip()
        and name[:1] not in ("", ".")
        and not set(name) & set("/\\")
        and len(name.encode()) <= _LONGEST_NAME
    )


def _is_folder_of_layout(entry: Entry | None, left: list[str]) -> bool:
    if entry is not None and not entry.is_folder:
        left.append(f"{entry.name}: no folder")
    return entry is not None and entry.is_folder


def _sort_in(one: Entry, place: str, photos: list[Photo], left: list[str]) -> None:
    path = f"{place}/{one.name}"
    if one.name.startswith("."):  # a photo that is being written there
        return
    if not one.is_file:
        left.append(f"{path}: no plain file")
    elif not is_plain(one.name) or not one.name.endswith(_SUFFIX):
        left.append(f"{path}: no name of a photo")
    elif one.size > FRAME_BYTES.value:
        left.append(f"{path}: {one.size:,} bytes, more than {FRAME_BYTES.variable} allows")
    else:
        photos.append(Photo(path, one.size))


def _by_name(photos: list[Photo]) -> dict[str, tuple[Photo, ...]]:
    found: dict[str, tuple[Photo, ...]] = {}
    for photo in photos:
        found[photo.name] = (*found.get(photo.name, ()), photo)
    return found


def list_here(folder: Path) -> dict[str, tuple[str, ...]]:
    """Where photos are here, by name: paths in the folder, as those of ``Photo``."""
    found: dict[str, tuple[str, ...]] = {}
    patterns = (f"{PHOTOS}/*/*{_SUFFIX}", f"{TO_LABEL}/*{_SUFFIX}", f"{DISCARDED}/*{_SUFFIX}")
    for path in sorted(one for pattern in patterns for one in folder.glob(pattern)):
        found[path.name] = (*found.get(path.name, ()), path.relative_to(folder).as_posix())
    return found
