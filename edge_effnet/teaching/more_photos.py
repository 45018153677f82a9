"""A file that was taught before, taught again with more photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edge_effnet.data.labels import listed
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError, ModelError
from edge_effnet.stages import StartStage
from edge_effnet.teaching.backbone import Backbone
from edge_effnet.teaching.collection import Collection, read_collection
from edge_effnet.teaching.remembered import remembered_collection, taught_hashes


def read_folders(
    folders: Sequence[tuple[str, Path]],
    backbone: Backbone,
    *,
    workers: int | None,
    stage: StartStage,
) -> Collection | None:
    """The photos of folders, each of one class; None without folders. A class may have several.

    Raises:
        DataError: none of the photos of a folder can be read.
    """
    found: Collection | None = None
    for name, folder in folders:
        images = load_images(folder)
        samples = tuple(replace(sample, label=0) for sample in images.samples)
        of_class = replace(images, samples=samples, labels=(name,))
        read = read_collection(of_class, backbone, workers=workers, stage=stage)
        found = read if found is None else found.joined(read)
    return found


def with_more(remembered: Collection, more: Collection | None) -> Collection:
    """What a file was taught, and more photos; classes that it did not know are added ones. Of a
    photo that is among both, in another class, what is said now holds.

    Raises:
        DataError: no photo of a class would be left.
    """
    if more is None:
        return remembered
    return _adding(remembered.without_moved(more).joined(more), remembered.labels)


def _adding(collection: Collection, known: Sequence[str]) -> Collection:
    """The same, with all classes but the known ones as added later."""
    added = tuple(
        name for name in collection.labels if name in collection.added or name not in known
    )
    return replace(collection, added=added)


def known_and_more(
    folders: Mapping[str, Path],
    backbone: Backbone,
    labels: Sequence[str],
    *,
    workers: int | None,
    stage: StartStage,
) -> tuple[Collection, int]:
    """Photos of all classes that a model knows, and of new ones: those that the file remembers,
    where it was taught and their features are kept here, and those of the folders.

    Args:
        folders: photos of each class.
        labels: that the model knows.

    Returns:
        And how many photos had taught the file that are not among them, because their features are
        not kept here.

    Raises:
        DataError: a class without photos.
    """
    more = read_folders(list(folders.items()), backbone, workers=workers, stage=stage)
    remembered, lost = None, 0
    try:
        remembered = remembered_collection(backbone.card, backbone.path, backbone)
    except ModelError:  # it was not taught
        pass
    except DataError:
        known = taught_hashes(backbone.card, backbone.path)
        lost = len(known.difference(more.hashes if more is not None else ()))
    if remembered is not None:
        found: Collection | None = with_more(remembered, more)
    else:
        found = None if more is None else _adding(more, labels)
    lacking = [name for name in labels if found is None or name not in found.labels]
    if lacking or found is None:
        raise DataError(
            f"{backbone.path.name} cannot learn here without photos of what it knows",
            found=f"none of {listed(lacking)}",
            expected="a file that was taught on this machine, or photos of each class",
            fix="record some of each, or copy their folders beside the others",
        )
    return found, lost
