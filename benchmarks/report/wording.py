"""Numbers of things in words, as several parts of the page say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge_effnet.plurals import counted, plural


def more_text(number: int, noun: str) -> str:
    """What is not shown; empty where nothing is."""
    return f"{number} more {plural(number, noun)} in the JSON." if number > 0 else ""


def alike_text(number: int, *, seen: bool = True) -> str:
    """Of an image that stands for several, or of answers to frames that were not kept; empty where
    it is the only one."""
    if number < 2:
        return ""
    return f"and {number - 1} nearly the same" if seen else f"{number} frames are answered so"


def missing_text(shown: Iterable[Mapping[str, Any]]) -> str:
    """Of things with an ``image`` each, None where its file was not found."""
    missing = sum(one["image"] is None for one in shown)
    if not missing:
        return ""
    return (
        f"{counted(missing, 'image')} {plural(missing, 'is', 'are')} not shown: no readable file "
        "of the name in the JSON is "
        "there. Names are looked up from the folder in which the page is made."
    )
