"""Photos of one press of a button are never parted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_effnet.data.division.bursts import burst_name, burst_of, join_bursts
from edge_effnet.data.division.split import divide
from edge_effnet.data.listing import load_dataset
from tests.edge_effnet.conftest import write_image


def test_photos_of_one_press_have_a_name_in_common() -> None:
    one, other = (Path("a") / burst_name("20261129-101500", 3, place) for place in (0, 12345))
    assert burst_of(one) == burst_of(other) == "burst-20261129-101500-3"
    assert burst_of(Path(burst_name("20261129-101500", 4, 0))) != burst_of(one)


@pytest.mark.parametrize(
    "name", ["1.jpg", "burst.jpg", "burst-1-2-3.jpg", "my-burst-20261129-101500-3-0.jpg"]
)
def test_other_photos_are_of_no_press(name: str) -> None:
    assert burst_of(Path(name)) is None


def test_what_was_joined_before_stays_so() -> None:
    press = [Path(burst_name("20261129-101500", 1, place)) for place in range(3)]
    paths = [Path("x.jpg"), press[0], Path("y.jpg"), press[1], Path("z.jpg"), press[2]]
    group = np.array([5, 6, 6, 7, 7, 8])  # y looks like the first of the press, z like the second
    joined = join_bursts(group, paths)
    assert joined[0] == 5
    assert len(set(joined[1:].tolist())) == 1


def test_a_division_keeps_them_on_one_side(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("cup", "mug"):
        for press in range(5):
            for place in range(4):
                pixels = random.integers(0, 255, (40, 40, 3), dtype=np.uint8)
                write_image(tmp_path / name / burst_name("20261129-101500", press, place), pixels)
    division = divide(load_dataset(tmp_path), 0.4, 0)
    sides = [
        {(sample.path.parent.name, burst_of(sample.path)) for sample in side.samples}
        for side in (division.rest, division.evaluation)
    ]
    assert not sides[0] & sides[1]
    assert all(sides)
