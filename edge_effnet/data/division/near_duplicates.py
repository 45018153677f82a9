"""Which image files show the same image: by their bytes, and by a perceptual hash.

The perceptual hash of an image is 128 bits: the signs, against their median, of the 128 lowest
frequencies but the first of a discrete cosine transform of its 64 x 64 grey pixels. This is the
pHash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010),
section 3.2.1, with twice its 64 bits. Two hashes that differ in at most ``NEAR_BITS`` bits are one
image. Not recognized: crops of more than some 2 % a side, rotated and mirrored images.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.bursts import join_bursts
from edge_effnet.errors import DataError, cannot_read
from edge_effnet.files.limits import IMAGE_BYTES
from edge_effnet.files.read import read_bytes
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.image.reading import small_grey
from edge_effnet.stages import Advance

Words = NDArray[np.uint64]

NEAR_BITS = 10
_BANDS = NEAR_BITS + 1  # so many bits cannot differ in every one: near hashes share a band whole
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
    """Read files once, on several threads; what is known already is not read again.

    Args:
        advance: called with the number of files done.

    Raises:
        DataError: a file is not there. One that may not be read or is no image is not
            ``readable``.
    """
    rows = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for done, row in enumerate(pool.map(_print_of, paths), start=1):
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


def prints_of_pixels(pixels: Pixels) -> Prints:
    """Of one image that is in no file: its perceptual hash alone, so it is no exact copy of any."""
    content = np.frombuffer(hashlib.sha256(pixels.tobytes()).digest()[:8], ">u8").astype(np.uint64)
    perceptual = perceptual_hash_of(pixels)
    words = np.array([perceptual or (0, 0)], np.uint64)
    prints = Prints(content, words, np.ones(1, np.bool_))
    return prints.by_bytes(np.array([perceptual is None]))


def _print_of(path: Path) -> tuple[int, tuple[int, int] | None, bool]:
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
def _read_print(path: Path, _mtime_ns: int, _size: int) -> tuple[int, tuple[int, int] | None, bool]:
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


def find(prints: Prints, among: Prints) -> NDArray[np.int64]:
    """For each image the index of the same image among others, -1 where it is not
    there; an exact copy goes before a near one. 50,000 among 50,000 take seconds."""
    index = find_copies(prints, among)
    lost = np.flatnonzero(index < 0)
    index[lost] = _find_near(prints.perceptual_hash[lost], among.perceptual_hash)
    return index


def find_copies(prints: Prints, among: Prints) -> NDArray[np.int64]:
    """As ``find``, by the bytes alone."""
    index = np.full(len(prints), -1, np.int64)
    if len(among):
        order = np.argsort(among.content, kind="stable")
        known = among.content[order]
        at = np.minimum(np.searchsorted(known, prints.content), len(known) - 1)
        same = known[at] == prints.content
        index[same] = order[at[same]]
    return index


def _find_near(prints: Words, among: Words) -> NDArray[np.int64]:
    index = np.full(len(prints), -1, np.int64)
    for ours, theirs in zip(_bands(prints), _bands(among), strict=True):
        order = np.argsort(theirs, kind="stable")
        known = theirs[order]
        left = np.flatnonzero(index < 0)
        at = np.searchsorted(known, ours[left], "left")
        end = np.searchsorted(known, ours[left], "right")
        while left.size:
            going = at < end
            left, at, end = left[going], at[going], end[going]
            candidates = order[at]
            near = _differing_bits(prints[left], among[candidates]) <= NEAR_BITS
            index[left[near]] = candidates[near]
            left, at, end = left[~near], at[~near] + 1, end[~near]
    return index


def groups(prints: Prints) -> NDArray[np.int64]:
    """A number for each image: the same for the same image, and for those that a chain of
    such pairs joins (the frames of a clip, a burst)."""
    _, first, own = np.unique(prints.content, return_index=True, return_inverse=True)
    own = own.reshape(-1)
    hashes = prints.perceptual_hash[first]
    number = np.arange(len(hashes))
    for key in _bands(hashes):
        order = np.argsort(key, kind="stable")
        end = np.searchsorted(key[order], key[order], "right")
        at, step = np.arange(len(order)), 1
        while at.size:
            at = at[at + step < end[at]]
            ours, theirs = order[at], order[at + step]
            apart = number[ours] != number[theirs]
            ours, theirs = ours[apart], theirs[apart]
            near = _differing_bits(hashes[ours], hashes[theirs]) <= NEAR_BITS
            for one, other in zip(ours[near], theirs[near], strict=True):
                if number[one] != number[other]:
                    number[number == number[other]] = number[one]
            if step % 64 == 0:  # where all are one group already, nothing is left to find
                joined = number[order]
                starts = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0])
                mixed = np.minimum.reduceat(joined, starts) != np.maximum.reduceat(joined, starts)
                sizes = np.diff(np.r_[starts, len(order)])
                at = at[np.repeat(mixed, sizes)[at]]
            step += 1
    return np.asarray(number[own], np.int64)


def _bands(hashes: Words) -> list[NDArray[np.int64]]:
    """The bits in ``_BANDS`` parts, each a number; neighbouring frequencies lie in several."""
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(len(hashes), 16), axis=1)
    return [
        bits[:, band::_BANDS].astype(np.int64) @ (1 << np.arange(bits[:, band::_BANDS].shape[1]))
        for band in range(_BANDS)
    ]


def _differing_bits(ours: Words, theirs: Words) -> NDArray[np.int64]:
    differing = np.ascontiguousarray(ours ^ theirs).view(np.uint8).reshape(len(ours), 16)
    return np.asarray(_ONES[differing].sum(axis=1, dtype=np.int64), np.int64)


_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class DuplicateGroups:
    """Which images of a data set are one image.

    Attributes:
        group: (images,), the same number for what must not be parted.
        alike: (images,) of bool, images of a class most of which look the same (one camera that
            stands still): such images are told apart by their bytes alone.
        strata: the class of each image; of several labels the rarest, None without any.
        prints: with the perceptual hashes of ``alike`` left out.
    """

    group: NDArray[np.int64]
    alike: NDArray[np.bool_]
    strata: tuple[int | None, ...]
    prints: Prints


def find_duplicates(dataset: Dataset, advance: Advance | None = None) -> DuplicateGroups:
    """Read the images of a data set and find which are one image, or frames of one press of a
    button; raises as ``prints_of``."""
    paths = [sample.path for sample in dataset.samples]
    found = group_duplicates(prints_of(paths, advance), strata_of(dataset.samples))
    return replace(found, group=join_bursts(found.group, paths))


def group_duplicates(prints: Prints, strata: tuple[int | None, ...]) -> DuplicateGroups:
    """Which of some images are one image.

    Args:
        strata: the class of each; see ``DuplicateGroups``.
    """
    group = groups(prints)
    _, own = np.unique(prints.content, return_inverse=True)
    own = own.reshape(-1)
    alike = np.zeros(len(prints), np.bool_)
    for stratum in set(strata):
        members = np.array([index for index, one in enumerate(strata) if one == stratum])
        numbers, sizes = np.unique(group[members], return_counts=True)
        most = members[group[members] == numbers[sizes.argmax()]]
        if 2 * len(most) > len(members) and len(np.unique(own[most])) > 1:
            alike[most] = True
    group = np.where(np.isin(own, own[alike]), -1 - own, group)
    return DuplicateGroups(group, alike, strata, prints.by_bytes(alike))


def strata_of(samples: Sequence[Sample]) -> tuple[int | None, ...]:
    """What each image counts for where images are shared out: its class, of several labels the
    rarest, None without any."""
    counts = Counter(label for sample in samples for label in sample.labels or ())
    return tuple(
        min(sample.labels, key=lambda label: (counts[label], label), default=None)
        if sample.labels is not None
        else sample.label
        for sample in samples
    )
