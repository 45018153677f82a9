"""Numbers of things in words: ``1 photo``, ``2 photos``."""

from __future__ import annotations


def counted(number: int, noun: str, nouns: str | None = None) -> str:
    """``1 image``, ``2 images``, ``3 classes``.

    Args:
        noun: of one.
        nouns: of several; by default ``noun`` with an ``s``.
    """
    return f"{number} {plural(number, noun, nouns)}"


def plural(number: int, one: str, several: str | None = None) -> str:
    """The word alone, a verb too: ``plural(2, "is", "are")``."""
    return one if number == 1 else several or f"{one}s"


def none_can(number: int, noun: str) -> str:
    """``none of the 3 images can``, ``the only image cannot``."""
    return f"the only {noun} cannot" if number == 1 else f"none of the {number} {noun}s can"
