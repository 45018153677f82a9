"""``train --unlabelled``: images that the teacher alone teaches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.split import without
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError
from edge_effnet.plurals import counted, plural


def list_unlabelled(
    source: Path, training: Dataset, evaluation: Dataset
) -> tuple[Dataset, tuple[str, ...]]:
    """The images of a folder or CSV file, whatever their labels, and lines for the user.

    Those that are validated on, and near-duplicates of them, are left out; those that are learned
    from with their label too.

    Raises:
        DataError: nothing there, no images, or none is left.
    """
    listed = load_images(source, part=None)
    samples = tuple(Sample(sample.path, None) for sample in listed.samples)
    found = replace(listed, samples=samples, labels=())
    apart = without(found, evaluation)
    new = without(apart, training)
    if not len(new):
        raise DataError(
            f"{source} adds no image to learn from",
            found=f"{counted(len(found), 'image')}, none of them new (or near-duplicates)",
            expected="other images",
            fix="leave --unlabelled out, or give others",
        )
    line = f"{counted(len(new), 'image')} without labels from {new.source}"
    if left := len(found) - len(apart):
        line += f"; {left} left out, validated on (or near-duplicates of such)"
    if known := len(apart) - len(new):
        line += f"; {known} left out, learned from with {plural(known, 'its', 'their')} label"
    return new, (line,)


def together(training: Dataset | None, unlabelled: Dataset | None) -> Dataset | None:
    """All images that a run learns from; None of drawn signs."""
    if training is None or unlabelled is None:
        return training
    return replace(training, samples=training.samples + unlabelled.samples)
