"""Numbers of things in words."""

from __future__ import annotations

from edge_effnet.plurals import counted, none_can, plural


def test_one_and_several() -> None:
    assert [counted(number, "photo") for number in (0, 1, 2)] == ["0 photos", "1 photo", "2 photos"]
    assert counted(1, "class", "classes") == "1 class"
    assert counted(3, "class", "classes") == "3 classes"
    assert none_can(1, "image") == "the only image cannot"
    assert none_can(3, "image") == "none of the 3 images can"
    assert f"this {plural(1, 'is', 'are')}, these {plural(2, 'is', 'are')}" == "this is, these are"
