"""What image files are recognized by: their bytes, and a perceptual hash.

The perceptual hash of an image is 128 bits: the signs, against their median, of the 128 lowest
frequencies but the first of a discrete cosine transform of its 64 x 64 grey pixels. This is the
pHash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010),
section 3.2.1, with twice its 64 bits.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import DataError, cannot_read
from edge_effnet.files.limits import IMAGE_BYTES
from edge_effnet.files.read import read_bytes
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.image.reading import small_grey
from edge_effnet.stages import Advance

Words = NDArray[np.uint64]
Row = tuple[int, tuple[int, int] | None, bool]
"""Of one image: the three of ``Prints``, None for the hash of one that shows nothing."""

_SIDE, _WIDEST = 64, 20
_LEAST_SPREAD = 2.0  # grey levels; below it the signs are noise, and flat images look alike
_THREADS = 8
_REMEMBERED = 1 << 17


@dataclass(frozen=True, eq=False)
class Prints:
    """What images are recognized by.

    Attributes:
        content: (images,), the first 8 bytes of the SHA-256 of each file.
        perceptual_hash: (images, 2), 128 bits; derived from the content where an image shows
            nothing, so that it resembles no other.
        readable: (images,) of bool, whether the file can be decoded.
    """

    content: Words
    perceptual_hash: Words
    readable: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.content)

    def by_bytes(self, which: NDArray[np.bool_]) -> Prints:
        """The same, where these images resemble none but their exact copies."""
        hashes = np.where(which[:, None], _content_hash_bits(self.content), self.perceptual_hash)
        return Prints(self.content, hashes, self.readable)


def prints_of(paths: Sequence[Path], advance: Advance | None = None) -> Prints:
    """Read files once, on several threads (or as ``reading_rows`` says); what is known already is
    not read again.

    Args:
        advance: called with the number of files done.

    Raises:
        DataError: a file is not there. One that may not be read or is no image is not
            ``readable``.
    """
    rows = []
    for done, row in enumerate(reading_rows.get()(paths), start=1):
        rows.append(row)
        if advance is not None:
            advance(done)
    content = np.array([row[0] for row in rows], np.uint64)
    hashes = [
        none if row[1] is None else row[1]
        for row, none in zip(rows, _content_hash_bits(content), strict=True)
    ]
    return Prints(
        content,
        np.array(hashes, np.uint64).reshape(-1, 2),
        np.array([row[2] for row in rows], np.bool_),
    )


def _read_here(paths: Sequence[Path]) -> Iterator[Row]:
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(read_row, paths)


reading_rows: ContextVar[Callable[[Sequence[Path]], Iterator[Row]]] = ContextVar(
    "reading_rows", default=_read_here
)
"""Where ``prints_of`` reads files."""


def prints_of_pixels(pixels: Pixels) -> Prints:
    """Of one image that is in no file: its perceptual hash alone, so it is no exact copy of any."""
    content = np.frombuffer(hashlib.sha256(pixels.tobytes()).digest()[:8], ">u8").astype(np.uint64)
    perceptual = perceptual_hash_of(pixels)
    words = np.array([perceptual or (0, 0)], np.uint64)
    prints = Prints(content, words, np.ones(1, np.bool_))
    return prints.by_bytes(np.array([perceptual is None]))


def read_row(path: Path) -> Row:
    """Of one file; raises as ``prints_of``."""
    try:
        state = path.stat()
        return _read_print(path, state.st_mtime_ns, state.st_size)
    except DataError as error:
        if not isinstance(error.__cause__, PermissionError):
            raise
        named = hashlib.sha256(os.fsencode(path)).digest()  # like no other, and no image's content
        return int.from_bytes(named[:8], "big"), None, False
    except OSError as error:
        raise cannot_read(path, error) from error


@lru_cache(_REMEMBERED)
def _read_print(path: Path, _mtime_ns: int, _size: int) -> Row:
    data = read_bytes(path, IMAGE_BYTES)
    content = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
    grey = small_grey(data, _SIDE)
    return content, None if grey is None else perceptual_hash_of(grey), grey is not None


def perceptual_hash_of(pixels: Pixels) -> tuple[int, int] | None:
    """The hash of grey (height x width) or RGB (height x width x 3) pixels; None where they show
    nothing."""
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    shrinking = max(grey.shape) > _SIDE
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=method).astype(np.float32)
    if float(small.std()) < _LEAST_SPREAD:
        return None
    lowest = cv2.dct(small)[:_WIDEST, :_WIDEST].ravel()[_FREQUENCIES]
    bits = np.packbits(lowest > np.median(lowest)).tobytes()
    return int.from_bytes(bits[:8], "big"), int.from_bytes(bits[8:], "big")


def _lowest_frequencies() -> NDArray[np.int64]:
    down, across = np.mgrid[:_WIDEST, :_WIDEST]
    order = np.argsort((down + across + 1e-3 * (down**2 + across**2)).ravel(), kind="stable")
    return np.asarray(order[1:129], np.int64)


_FREQUENCIES = _lowest_frequencies()


def _content_hash_bits(content: Words) -> Words:
    """(images, 2) bits that depend on the content alone: its two products with odd constants
    (SplitMix64's, Steele et al. 2014), so that two of them differ in about half of their bits."""
    halves = []
    for step in (1, 2):
        mixed = content + np.uint64((step * 0x9E3779B97F4A7C15) % 2**64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        halves.append(mixed ^ (mixed >> np.uint64(31)))
    return np.stack(halves, axis=1)
