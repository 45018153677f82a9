"""Which images stand for others on the page."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.report.near_identical import COMPARED, once_each


def shown(names: list[str], answers: str = "", *, frames: bool = False) -> list[tuple[str, int]]:
    """Of images with answers of one letter each; by default all the same."""
    items = list(zip(names, answers or "x" * len(names), strict=True))
    found = once_each(items, lambda one: one[0], lambda one: one[1], frames=frames)
    return [(Path(name).name, count) for (name, _), count in found]


def test_the_first_of_nearly_the_same_images_stands_for_them(colour_folder: Path) -> None:
    first, other = colour_folder / "red" / "0.png", colour_folder / "blue" / "0.png"
    copy = colour_folder / "copy.png"
    shutil.copy(first, copy)
    names = [str(first), str(other), str(copy)]
    assert shown(names) == [("0.png", 2), ("0.png", 1)]
    assert shown(names, "xxy") == [("0.png", 1), ("0.png", 1), ("copy.png", 1)]


def test_photos_of_one_press_are_one(colour_folder: Path) -> None:
    names = []
    for number in range(3):
        names.append(str(colour_folder / f"burst-20261129-101500-3-{number:04d}.jpg"))
        shutil.copy(colour_folder / "red" / f"{number}.png", names[-1])
    assert shown(names) == [("burst-20261129-101500-3-0000.jpg", 3)]


def test_images_that_are_gone_are_each_their_own_and_frames_that_were_not_kept_are_not() -> None:
    names = ["clip.mp4#1", "clip.mp4#2", "clip.mp4#3"]
    assert shown(names, "xxy") == [(name, 1) for name in names]
    assert shown(names, "xxy", frames=True) == [("clip.mp4#1", 2), ("clip.mp4#3", 1)]


def test_of_very_many_the_rest_is_not_compared(colour_folder: Path) -> None:
    names = [str(colour_folder / "red" / "0.png")] * (COMPARED + 2)
    assert shown(names) == [("0.png", COMPARED), ("0.png", 1), ("0.png", 1)]
