"""Which image files show the same image.

Two perceptual hashes (see ``prints``) that differ in at most ``NEAR_BITS`` bits are one image. Not
recognized: crops of more than some 2 % a side, rotated and mirrored images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.bursts import join_bursts
from edge_effnet.data.division.prints import Prints, Words, prints_of
from edge_effnet.stages import Advance

NEAR_BITS = 10
_BANDS = NEAR_BITS + 1  # so many bits cannot differ in every one: near hashes share a band whole


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
