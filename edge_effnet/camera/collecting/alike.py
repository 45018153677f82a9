"""Frames in groups of the same look, for a viewer who labels many at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from edge_effnet.arrays import Float32Array

SIDE = 8
"""Of the small image by which frames are compared, in three colours."""
ALIKE = 0.92
"""Correlation of the small images of one group, at least."""


def groups_alike(files: Mapping[str, Path], answers: Mapping[str, str]) -> list[list[str]]:
    """Names of files, in groups: one answer of the model, and a look like the first's of the group.

    The largest group comes first. A file that cannot be read is a group of its own answer.
    """
    groups: list[tuple[str, Float32Array, list[str]]] = []
    for name, path in files.items():
        look, answer = look_of(path, _state(path)), answers.get(name, "")
        for of_group, first, members in groups:
            if of_group == answer and float(first @ look) >= ALIKE:
                members.append(name)
                break
        else:
            groups.append((answer, look, [name]))
    return [members for _, _, members in sorted(groups, key=lambda group: -len(group[2]))]


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=4096)
def look_of(path: Path, _state: tuple[int, int]) -> Float32Array:
    """The small image of a file as a vector of mean 0 and length 1, (192,); zeros for a file that
    cannot be read."""
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
        pixels = cv2.imdecode(content, cv2.IMREAD_REDUCED_COLOR_4) if len(content) else None
    except (OSError, cv2.error):
        pixels = None
    if pixels is None:
        return np.zeros(3 * SIDE * SIDE, np.float32)
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    vector = small.astype(np.float32).reshape(-1)
    vector -= vector.mean()
    return np.asarray(vector / max(1e-6, float(np.linalg.norm(vector))), np.float32)
