"""A folder that may not be read is no class without images: the others would look like all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.data.listing import load_dataset
from edge_effnet.errors import DataError

NOBODY = 65534


@pytest.fixture
def pets() -> Iterator[Path]:
    """Three classes, in a place that other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="edge-effnet-tests-"))
    folder.chmod(0o755)
    for name in ("cat", "dog", "owl"):
        (folder / name).mkdir()
        cv2.imwrite(str(folder / name / "1.png"), np.zeros((8, 8, 3), np.uint8))
    yield folder
    for path in folder.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def as_user() -> Iterator[None]:
    """As somebody whom permissions hold for: root may read anything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("mode", [0o000, 0o600])  # not listed; listed, but not entered
@pytest.mark.parametrize("depth", ["class", "below"])
def test_a_class_that_cannot_be_read_is_an_error(mode: int, depth: str, pets: Path) -> None:
    folder = pets / "dog"
    if depth == "below":
        (folder / "batch").mkdir()
        folder = (folder / "1.png").rename(folder / "batch" / "1.png").parent
    owner = NOBODY if os.geteuid() == 0 else os.geteuid()
    os.chown(folder, owner, -1)
    folder.chmod(mode)
    with as_user(), pytest.raises(DataError, match=r"dog.* cannot be listed; found Permission den"):
        load_dataset(pets)


def test_an_image_that_cannot_be_read_stays_one(pets: Path) -> None:
    (pets / "dog" / "1.png").chmod(0)
    with as_user():
        assert load_dataset(pets).class_counts == {"cat": 1, "dog": 1, "owl": 1}
