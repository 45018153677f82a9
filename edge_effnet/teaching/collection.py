"""The images that a network is taught.

A taught file keeps, for each class, the hashes of its images; their features are in the cache. So
classes are added, taken away and renamed without the photos of the others (``remembered``).
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.bursts import burst_of, join_bursts
from edge_effnet.data.division.near_duplicates import DuplicateGroups, group_duplicates
from edge_effnet.data.division.prints import Prints, prints_of
from edge_effnet.data.labels import listed
from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.metrics import Skipped
from edge_effnet.plurals import counted
from edge_effnet.stages import StartStage
from edge_effnet.teaching.backbone import Backbone
from edge_effnet.teaching.features import image_features

HASH_BYTES, WORDS = 32, 2  # SHA-256, and a perceptual hash of two words of 8 bytes
BEGINNING = 12  # letters of a hash, which tell the photos of a file apart


@dataclass(frozen=True, eq=False)
class Collection:
    """Images of classes.

    Attributes:
        labels: class names in index order.
        classes: (images,), the class of each.
        hashes: SHA-256 of each file.
        perceptual_hash: uint64 (images, 2); see ``near_duplicates``.
        features: float32 (images, views, width).
        paths: of each; of one that is only remembered, its class and the beginning of its hash.
        source: for people.
        skipped: files that could not be read.
        added: classes that were taught later than the others, see ``heads.learning.added_classes``.
    """

    labels: tuple[str, ...]
    classes: NDArray[np.int64]
    hashes: tuple[str, ...]
    perceptual_hash: NDArray[np.uint64]
    features: Float32Array
    paths: tuple[Path, ...]
    source: str
    skipped: tuple[Skipped, ...] = ()
    added: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.hashes)

    @cached_property
    def class_counts(self) -> dict[str, int]:
        """Images of each class, in the order of the labels."""
        counts = Counter(map(int, self.classes))
        return {name: counts[label] for label, name in enumerate(self.labels)}

    @cached_property
    def duplicates(self) -> DuplicateGroups:
        """Which of them are one image, or frames of one press of a button."""
        content = np.array([int(digest[:16], 16) for digest in self.hashes], np.uint64)
        prints = Prints(content, self.perceptual_hash, np.ones(len(self), np.bool_))
        found = group_duplicates(prints, tuple(map(int, self.classes)))
        return replace(found, group=join_bursts(found.group, self.paths))

    @property
    def in_two_classes(self) -> tuple[tuple[Path, Path], ...]:
        """Pairs of files of different classes with the same bytes."""
        first, found = dict[str, int](), list[tuple[Path, Path]]()
        for index, digest in enumerate(self.hashes):
            before = first.setdefault(digest, index)
            if self.classes[before] != self.classes[index]:
                found.append((self.paths[before], self.paths[index]))
        return tuple(found)

    def remembered(self) -> dict[str, str]:
        """For the card: what each class's images are recognized by."""
        rows = [
            bytes.fromhex(digest) + words.astype("<u8").tobytes()
            for digest, words in zip(self.hashes, self.perceptual_hash, strict=True)
        ]
        return {
            name: base64.b64encode(
                b"".join(rows[index] for index in np.flatnonzero(self.classes == label))
            ).decode()
            for label, name in enumerate(self.labels)
        }

    def bursts(self) -> dict[str, list[str]]:
        """For the card: of each press of a button its photos, by the beginning of their hashes."""
        found: dict[str, list[str]] = {}
        for digest, path in zip(self.hashes, self.paths, strict=True):
            if (burst := burst_of(path)) is not None:
                found.setdefault(burst, []).append(digest[:BEGINNING])
        return found

    def without(self, name: str) -> Collection:
        """The same without a class.

        Raises:
            UsageProblem: no such class, or fewer than two would be left.
        """
        gone = self._find(name, "--remove")
        if len(self.labels) <= 2:
            raise UsageProblem(
                "a network that tells things apart needs two classes",
                found=f"--remove {name} of {listed(self.labels)}",
                fix="add another with --add NAME=DIR",
            )
        kept = self._chosen(self.classes != gone)
        classes = np.where(kept.classes > gone, kept.classes - 1, kept.classes)
        labels, added = (
            tuple(label for label in names if label != self.labels[gone])
            for names in (self.labels, self.added)
        )
        return replace(kept, labels=labels, classes=classes, added=added)

    def renamed(self, old: str, new: str) -> Collection:
        """The same with another name for a class.

        Raises:
            UsageProblem: no such class, or the new name is taken.
        """
        index = self._find(old, "--rename")
        if new in self.labels:
            raise UsageProblem(
                f"there is a class {new!r} already",
                found=f"--rename {old}={new}",
                fix=f"--add {new}=DIR adds photos to it",
            )
        labels = tuple(new if place == index else name for place, name in enumerate(self.labels))
        added = tuple(new if name == old else name for name in self.added)
        return replace(self, labels=labels, added=added)

    def without_moved(self, other: Collection) -> Collection:
        """The same without images that ``other`` has in another class.

        Raises:
            DataError: no image of a class would be left.
        """
        there = {
            digest: other.labels[label]
            for digest, label in zip(other.hashes, other.classes, strict=True)
        }
        own = [self.labels[label] for label in self.classes]
        stays = [
            there.get(digest, name) == name for digest, name in zip(self.hashes, own, strict=True)
        ]
        kept = self._chosen(np.array(stays, np.bool_))
        for name, count in kept.class_counts.items():
            if not count and name not in other.labels:
                raise DataError(
                    f"no photo of {name!r} would be left",
                    found="all of them among those of other classes now",
                    expected="a photo at least of each class",
                    fix=f"give photos of {name!r} too, or take the class away",
                )
        return kept

    def joined(self, other: Collection) -> Collection:
        """Both, classes of one name as one; an image that is in a class already is not doubled."""
        labels = (*self.labels, *(name for name in other.labels if name not in self.labels))
        moved = np.array([labels.index(other.labels[label]) for label in other.classes], np.int64)
        known = set(zip(self.hashes, map(int, self.classes), strict=True))
        pairs = zip(other.hashes, map(int, moved), strict=True)
        new = np.array([pair not in known for pair in pairs], np.bool_)
        added = replace(other, classes=moved)._chosen(new)
        return Collection(
            labels,
            np.concatenate([self.classes, added.classes]),
            self.hashes + added.hashes,
            np.concatenate([self.perceptual_hash, added.perceptual_hash]),
            np.concatenate([self.features, added.features]),
            self.paths + added.paths,
            self.source,
            self.skipped + added.skipped,
            self.added + tuple(name for name in other.added if name not in self.labels),
        )

    def _find(self, name: str, option: str) -> int:
        if name not in self.labels:
            raise UsageProblem(
                f"there is no class {name!r}",
                found=f"{option} {name}",
                expected=listed(self.labels),
                fix="give the name as it is spelled there",
            )
        return self.labels.index(name)

    def _chosen(self, which: NDArray[np.bool_]) -> Collection:
        places = np.flatnonzero(which)
        return replace(
            self,
            classes=self.classes[places],
            hashes=tuple(self.hashes[index] for index in places),
            perceptual_hash=self.perceptual_hash[places],
            features=self.features[places],
            paths=tuple(self.paths[index] for index in places),
        )


def read_collection(
    dataset: Dataset, backbone: Backbone, *, workers: int | None, stage: StartStage
) -> Collection:
    """Read the images of a data set, each with one class.

    Raises:
        DataError: none of the images, or none of a class, can be read.
    """
    seen = stage("computing features", len(dataset))
    paths = [sample.path for sample in dataset.samples]
    features = image_features(
        backbone, paths, workers=workers, progress=lambda count, _: seen(count)
    )
    samples = [dataset.samples[index] for index in features.index]
    found = Collection(
        dataset.labels,
        np.array([sample.label for sample in samples], np.int64),
        features.hashes,
        prints_of([sample.path for sample in samples]).perceptual_hash,
        features.values,
        tuple(sample.path for sample in samples),
        dataset.source,
        features.skipped,
    )
    for name, count in dataset.class_counts.items():
        if not found.class_counts[name]:
            raise DataError(
                f"no image of {name!r} in {dataset.source} can be read",
                found=counted(count, "file"),
                expected="an image at least of each class",
                fix="replace them, or take the folder away",
            )
    return found
