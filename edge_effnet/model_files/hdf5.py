"""What an HDF5 file holds, told from the names in its bytes: no HDF5 library is needed.

Keras keeps a whole model's configuration as JSON in the attribute ``model_config``, names of
layers in ``layer_names`` (its older layout) or in groups called ``layers`` and ``vars``.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge_effnet.files.limits import CONFIG_BYTES

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_CHUNK = 1 << 20
_OVERLAP = 64
_HEAD = 4096
_MOST_OFFSETS = 12  # the signature stands at 0, 512, 1024 … 2^20
# As names stand in the file: of attributes with a zero byte behind them, of groups with that or, in
# the newer layout (libver="latest"), with their length before them.
_ATTRIBUTES = {name: (name + b"\0",) for name in (b"model_config", b"layer_names", b"weight_names")}
_GROUPS = {
    name: (name + b"\0", bytes([len(name)]) + name)
    for name in (b"model_weights", b"vars", b"layers", b"optimizer_weights", b"optimizer")
}
_SPELLINGS = _ATTRIBUTES | _GROUPS
_VERSION = re.compile(rb"(?<![\d.])([123]\.\d{1,2}\.\d{1,2}(?:-tf|rc\d)?)\0")
_CONFIG = re.compile(rb'\{\s*"(?:class_name|module|name)"\s*:')


def starts_hdf5(path: Path, head: bytes) -> bool:
    """Whether the signature stands where HDF5 allows it: at 0, or at 512 doubled again and
    again."""
    if head.startswith(SIGNATURE):
        return True
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            for power in range(_MOST_OFFSETS):
                offset = 512 << power
                if offset + 8 > size:
                    return False
                file.seek(offset)
                if file.read(8) == SIGNATURE:
                    return True
    except OSError:
        return False
    return False


def stated_size(path: Path) -> int | None:
    """How long the file says it is, in its superblock; None where that cannot be read.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        block = file.read(48)
    if len(block) < 48 or not block.startswith(SIGNATURE):
        return None  # behind a user block: seldom, and the HDF5 library looks itself
    if block[8] in (0, 1) and block[13] == 8:
        base, end = struct.unpack_from("<Q", block, 24)[0], struct.unpack_from("<Q", block, 40)[0]
    elif block[8] in (2, 3) and block[9] == 8:
        base, end = struct.unpack_from("<Q", block, 12)[0], struct.unpack_from("<Q", block, 28)[0]
    else:
        return None
    return int(end) if base == 0 else None


def hdf5_kind(path: Path) -> str:
    """The row of the table of kinds, by Keras' names in the bytes, a megabyte at a time.

    Raises:
        OSError: it cannot be read.
    """
    names = _names_in(path)
    if b"model_config" in names:
        return "keras-h5"
    if b"optimizer_weights" in names and not names & {b"layer_names", b"model_weights"}:
        names.discard(b"weight_names")  # Keras 2 lists the optimizer's own under it
    structural = {b"vars", b"layers"} <= names
    if structural or names & {b"layer_names", b"weight_names", b"model_weights"}:
        return "keras-weights"
    return "optimizer-state" if names & {b"optimizer_weights", b"optimizer"} else "hdf5"


def _names_in(path: Path) -> set[bytes]:
    """Those of Keras' names that occur; of a whole model only the first matters."""
    found: set[bytes] = set()
    for _, piece in _pieces(path):
        for name, spellings in _SPELLINGS.items():
            if name not in found and any(spelling in piece for spelling in spellings):
                found.add(name)
        if b"model_config" in found:
            break
    return found


def _pieces(path: Path) -> Iterator[tuple[int, bytes]]:
    """A file's bytes in overlapping pieces, each with its offset."""
    offset, kept = 0, b""
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            joined = kept + piece
            yield offset - len(kept), joined
            offset += len(piece)
            kept = joined[-_OVERLAP:]


def hdf5_configuration(path: Path) -> tuple[Mapping[str, Any] | None, str | None]:
    """The network's configuration and the version of Keras, where the bytes tell.

    Raises:
        OSError: it cannot be read.
    """
    version: str | None = None
    network: Mapping[str, Any] | None = None
    left = CONFIG_BYTES.value  # of bytes looked at: any file can hold any number of matches
    for offset, piece in _pieces(path):
        if version is None and (match := _VERSION.search(piece)):
            version = match[1].decode()
        for match in _CONFIG.finditer(piece):
            if network is not None or left <= 0:
                break
            text = _text_at(path, offset + match.start(), left)
            left -= max(len(text), _HEAD)
            network = _configuration(text)
        if version and (network or left <= 0):
            break
    return network, version


def _text_at(path: Path, offset: int, most: int) -> bytes:
    """The bytes from there to the next zero byte; none where they name no configuration."""
    parts: list[bytes] = []
    with path.open("rb") as file:
        file.seek(offset)
        part = file.read(min(_HEAD, most))
        if b"config" not in part:
            return b""
        while part and most > 0:
            kept, zero, _ = part.partition(b"\0")
            parts.append(kept)
            most -= len(kept)
            part = b"" if zero else file.read(min(_CHUNK, most))
    return b"".join(parts)


def _configuration(text: bytes) -> Mapping[str, Any] | None:
    """The JSON object that a text begins with, if it is a network's configuration."""
    try:
        found = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))[0]
    except (ValueError, RecursionError):
        return None
    config = found.get("config") if isinstance(found, dict) else None
    if isinstance(config, list) or (isinstance(config, dict) and "layers" in config):
        return found  # type: ignore[no-any-return]
    return None
