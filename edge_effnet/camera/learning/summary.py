"""How right a file is that was learned while the camera runs, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from edge_effnet.data.labels import listed
from edge_effnet.metrics.two_models.previous import Against
from edge_effnet.plurals import counted, plural
from edge_effnet.teaching.teach import Taught

_SHOWN = 3
MOMENTS = 3
"""Fewer different moments of a class say little about others."""


def summary_of(
    taught: Taught,
    against: Against | None,
    recorded: Collection[str],
    *,
    name: str,
    lost: int,
    elsewhere: Sequence[str] = (),
) -> dict[str, Any]:
    """For the page.

    Args:
        against: the file before, on the same photos; None where there is nothing to compare with.
        recorded: classes that photos were recorded of.
        name: of the file.
        lost: photos that had taught the file before and not this one.
        elsewhere: classes that the file before knew and no photo was recorded of, while there are
            recorded ones of others.

    Returns:
        ``lines``, and what speaks ``against`` taking the file unasked; None where nothing does.
    """
    lines = [_class_line(taught, one) for one in taught.collection.labels if one in recorded]
    if taught.predictions is not None:
        right = _right(taught)
        lines.append(
            f"all classes: right on {int(right.sum())} of {counted(len(right), 'photo')} of "
            "another moment"
        )
    if against is not None and against.known.images:
        known = against.known
        lines.append(
            f"of the {counted(known.images, 'photo')} of classes that the file before knew: right "
            f"on {known.before} before, {known.now} now"
        )
        fewer = [
            f"{one} {count.before} to {count.now}" for one, count in against.lost_classes.items()
        ]
        if fewer:
            lines.append(f"classes that lost: {', '.join(fewer[:_SHOWN])}")
    lines += [
        f"one photo is in two classes, {one} and {other}: take one of them away"
        for one, other in taught.collection.in_two_classes[:_SHOWN]
    ]
    return {
        "lines": lines,
        "against": _objection(taught, against, name, lost, elsewhere, recorded),
    }


def _objection(
    taught: Taught,
    against: Against | None,
    name: str,
    lost: int,
    elsewhere: Sequence[str],
    recorded: Collection[str],
) -> str | None:
    if lost:
        return (
            f"the {counted(lost, 'photo')} that taught {name} {plural(lost, 'is', 'are')} not "
            "kept here: "
            f"it would know no more than the {counted(len(taught.collection), 'photo')} here show"
        )
    if against is not None and against.is_worse:
        return f"{name} as it was is better on the classes that it knew, and stays"
    if elsewhere:
        # What tells such photos apart is the camera too: up to 84 % of a known sign's frames went
        # to a new one, and no figure of cross-validation showed it (docs/research/tried.md).
        here = [one for one in recorded if one not in elsewhere]
        return (
            f"no photo of {listed(elsewhere)} was recorded by this camera, so that much of what it "
            f"shows may be taken for {listed(here)}: record each of those once too"
        )
    return None


def _right(taught: Taught) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Of the photos that could be asked about: each by a layer that learned from others."""
    assert taught.predictions is not None  # noqa: S101 (asked by the caller)
    truth = np.asarray(taught.predictions.truth)
    return np.asarray(taught.predictions.scores.argmax(axis=1) == truth)


def _class_line(taught: Taught, name: str) -> str:
    collection = taught.collection
    label = collection.labels.index(name)
    of_class = collection.classes == label
    photos, moments = int(of_class.sum()), len(np.unique(collection.duplicates.group[of_class]))
    if taught.predictions is None or name in taught.not_evaluated:
        return (
            f"{name}: not enough different views yet, {counted(photos, 'photo')} of one moment: "
            "record it again from elsewhere"
        )
    asked = np.asarray(taught.predictions.truth) == label
    right = int(_right(taught)[asked].sum())
    line = f"{name}: right on {right} of {counted(int(asked.sum()), 'photo')} of another moment"
    if moments < MOMENTS:
        return f"{line}; not enough different views yet to be sure ({counted(moments, 'moment')})"
    return line
