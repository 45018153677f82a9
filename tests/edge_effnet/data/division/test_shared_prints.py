"""What images are recognized by does not depend on which machine reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.data import shares
from edge_effnet.data.division.prints import prints_of
from edge_effnet.data.division.shared_prints import prints_shared_out
from edge_effnet.errors import DataError
from tests.edge_effnet.conftest import colour_folder  # noqa: F401 (a fixture)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_each_file_is_read_once_and_the_prints_are_the_same(
    colour_folder: Path,  # noqa: F811
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (colour_folder / "red" / "no.png").write_text("not an image")
    paths = sorted(colour_folder.rglob("*.png"))
    given = [*paths[:9], *paths[4:], paths[0]]  # some of them twice
    read: list[Path] = []

    def counting(work: Callable[[Any], Any], parts: Iterable[Any]) -> Iterator[Any]:
        for part in parts:
            read.extend(part.paths)
            yield work(part)

    alone = prints_of(given)
    monkeypatch.setattr(shares, "SHARE", size)
    with prints_shared_out(counting):
        shared = prints_of(given)
        again = prints_of(paths)
    assert sorted(read) == paths
    assert len(prints_of(paths)) == len(again)  # read here again
    assert sorted(read) == paths
    for name in ("content", "perceptual_hash", "readable"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(shared, name))


def test_a_file_that_is_gone_is_the_same_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as alone:
        prints_of([tmp_path / "gone.png"])
    with prints_shared_out(map), pytest.raises(DataError) as shared:
        prints_of([tmp_path / "gone.png"])
    assert str(shared.value) == str(alone.value)
