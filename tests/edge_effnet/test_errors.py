"""One line of what, found, expected and to fix."""

from __future__ import annotations

from edge_effnet.errors import DataError


def test_of_an_error_inside_another_what_to_do_is_said_once() -> None:
    inner = DataError("a.jpg is no image", found="text", fix="replace it")
    outer = DataError("none can be read", found=str(inner), fix="replace the images")
    assert str(outer) == (
        "none can be read; found a.jpg is no image; found text; to fix: replace the images"
    )
