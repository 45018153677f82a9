"""The official Keras weight files: where they lie, their checksums, and the cache.

Addresses and checksums as published in ``keras.applications`` (Apache-2.0), files with the
ImageNet classifier. Google published no Keras file for Lite and EdgeTPU.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import OutputError, WeightsError
from edge_effnet.network.weights.checkpoint import whole_file

V1_FOLDER = "https://storage.googleapis.com/keras-applications/"
V2_FOLDER = "https://storage.googleapis.com/tensorflow/keras-applications/efficientnet_v2/"
MD5 = {
    "efficientnetb0": "902e53a9f72be733fc0bcb005b3ebbac",
    "efficientnetb1": "1d254153d4ab51201f1646940f018540",
    "efficientnetb2": "b15cce36ff4dcbd00b6dd88e7857a6ad",
    "efficientnetb3": "ffd1fdc53d0ce67064dc6a9c7960ede0",
    "efficientnetb4": "18c95ad55216b8f92d7e70b3a046e2fc",
    "efficientnetb5": "ace28f2a6363774853a83a0b21b9421a",
    "efficientnetb6": "165f6e37dce68623721b423839de8be5",
    "efficientnetb7": "8c03f828fec3ef71311cd463b6759d99",
    "efficientnetv2-b0": "21ecbf6da12460d5c40bb2f29ceb2188",
    "efficientnetv2-b1": "069f0534ff22adf035c89e2d9547a9dc",
    "efficientnetv2-b2": "424e49f28180edbde1e94797771950a7",
    "efficientnetv2-b3": "1f1fc43bd98a6e4fd8fdfd551e02c7a0",
    "efficientnetv2-s": "e1d88a8495beba45748fedd0cecbe016",
    "efficientnetv2-m": "a3bf6aa3276309f4fc6a34aa114c95cd",
    "efficientnetv2-l": "27e6d408b53c7ebc868fefa357689935",
}
CHUNK = 1 << 18


@dataclass(frozen=True)
class OfficialFile:
    name: str
    url: str
    md5: str


def official_file(spec: VariantSpec) -> OfficialFile:
    """The official file of a row.

    Raises:
        WeightsError: there is none for it.
    """
    stem = spec.official_weights
    if stem is None or stem not in MD5 or spec.blocks is not None:
        raise WeightsError(
            f"there are no official Keras weights for {spec.name}",
            expected="b0…b7 or a v2 variant, the only ones published",
            fix="choose one of those, train this one (edge-effnet train), or give --weights FILE",
        )
    folder = V2_FOLDER if stem.startswith("efficientnetv2") else V1_FOLDER
    return OfficialFile(f"{stem}.h5", f"{folder}{stem}.h5", MD5[stem])


def cache_folder() -> Path:
    """``EDGE_EFFNET_CACHE``, else ``edge-effnet`` in the user's cache."""
    if chosen := os.environ.get("EDGE_EFFNET_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "edge-effnet"


def fetch_official(spec: VariantSpec) -> Path:
    """The official file of a row, from the cache or downloaded into it.

    Raises:
        WeightsError: there is none, it cannot be downloaded, or it is not the published one.
        OutputError: the cache cannot be written.
    """
    file = official_file(spec)
    return fetch(file.url, cache_folder() / file.name, md5=file.md5)


def fetch(url: str, target: Path, *, md5: str, timeout: float = 30.0) -> Path:
    """Download ``url`` to ``target`` unless it is there; the checksum is verified either way.

    Args:
        md5: hexadecimal, as published.
        timeout: seconds without a single byte before giving up.

    Returns:
        ``target``, which exists only whole and verified.

    Raises:
        WeightsError: not reachable, cut off, or another checksum (the file is removed).
        OutputError: ``target`` cannot be written.
    """
    if target.exists():
        with _readable(target).open("rb") as content:
            found = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False))
        if found.hexdigest() != md5:
            target.unlink(missing_ok=True)
            raise WeightsError(
                f"{target} was not the published file and has been removed",
                found=f"md5 {found.hexdigest()}",
                expected=md5,
                fix="run again to download it anew",
            )
        return target
    checksum = hashlib.md5(usedforsecurity=False)
    with whole_file(target) as partial, partial.open("wb") as file:
        for chunk in _stream(url, target, timeout):
            checksum.update(chunk)
            file.write(chunk)
        if checksum.hexdigest() != md5:
            raise WeightsError(
                f"{url} is not the published file; nothing was kept",
                found=f"md5 {checksum.hexdigest()}",
                expected=md5,
                fix=f"try again without a proxy that alters downloads, or put the right file "
                f"at {target}, or give --weights FILE",
            )
    return target


def _readable(target: Path) -> Path:
    if not target.is_file():
        raise OutputError(
            f"{target} is in the way",
            found="something that is no file",
            expected="a downloaded weight file or nothing",
            fix="move it away, or set EDGE_EFFNET_CACHE to another folder",
        )
    return target


def _stream(url: str, target: Path, timeout: float) -> Iterator[bytes]:
    """The content of ``url`` in pieces, with progress on a terminal's stderr."""

    def failed(found: str) -> WeightsError:
        return WeightsError(
            f"the official weights {target.name} cannot be downloaded from {url}",
            found=found,
            fix=f"connect and try again, put the file at {target} by hand, or use "
            "--weights FILE or --weights demo",
        )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns,
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        try:
            with urllib.request.urlopen(url, timeout=timeout) as response:  # noqa: S310 (the caller's address; the table's are https)
                length = int(response.headers.get("Content-Length") or 0)
                task = progress.add_task(target.name, total=length or None)
                received = 0
                while chunk := response.read(CHUNK):
                    received += len(chunk)
                    progress.advance(task, len(chunk))
                    yield chunk
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise failed(str(reason) or type(error).__name__) from error
        if received < length:
            raise failed(f"{received} of {length} bytes before the connection ended")
