"""A data set: images, what is known of each, and what was left out of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.data.folders import LeftOut, left_out_lines
from edge_effnet.data.labels import listed
from edge_effnet.plurals import counted


@dataclass(frozen=True)
class Sample:
    """One image.

    Attributes:
        label: of its one class, an index into the data set's labels; None where unlabelled.
        labels: indices of the labels that are true together, where several can be; may be empty.
        value: the target, for regression.
    """

    path: Path
    label: int | None
    labels: tuple[int, ...] | None = None
    value: float | None = None

    @property
    def stratum(self) -> tuple[int, ...]:
        """What divisions keep the shares of: the class, or the labels that are true together."""
        if self.labels is not None:
            return self.labels
        return () if self.label is None else (self.label,)


@dataclass(frozen=True)
class Dataset:
    """Images and what is known of them.

    Attributes:
        labels: names in index order; empty where nothing is labelled.
        source: for people.
        left_out: what lies there and is no part of it.
        notes: what the user should know of how it was read.
    """

    samples: tuple[Sample, ...]
    labels: tuple[str, ...]
    source: str
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def class_counts(self) -> dict[str, int]:
        """Images per class or label, for those that have any, in label order."""
        counts = Counter(label for sample in self.samples for label in sample.stratum)
        return {name: counts[i] for i, name in enumerate(self.labels) if counts[i]}

    def lines(self) -> list[str]:
        """What every command prints of a data set: its classes, notes, and what was left out."""
        values = [sample.value for sample in self.samples if sample.value is not None]
        counts = self.class_counts
        kind = (
            ("class", "classes")
            if any(sample.label is not None for sample in self.samples)
            else ("label", "labels")
        )
        what = f"{counted(len(self), 'image')} without classes"
        if values:
            span = f"values from {min(values):g} to {max(values):g}"
            what = f"{counted(len(self), 'image')} with {span}"
        elif counts:
            shown = listed((f"{name} ({count})" for name, count in counts.items()), _NAMES_SHOWN)
            what = f"{counted(len(self), 'image')}, {counted(len(counts), *kind)}: {shown}"
        line = f"{self.source}: {what}"
        return [line, *self.notes, *left_out_lines(self.left_out)]

    def reading_json(self) -> dict[str, Any]:
        """How it was read, for the documents of the commands: ``notes`` and ``left_out``."""
        left_out = [one.to_json() for one in self.left_out]
        return {"notes": list(self.notes), "left_out": left_out}


_NAMES_SHOWN = 8
