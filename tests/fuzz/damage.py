"""Ways to damage any file, and to read what came of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from edge_effnet.errors import EdgeEffnetError

_NUMBERS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0", b"\0\0\xff\xff")


def damaged(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """One damaged copy and what was done to it; most damage lies near the beginning, where
    headers are."""
    what = dice.choice(("cut", "flip", "flip", "number", "number", "fill", "repeat", "remove"))
    near = dice.random() < 0.6
    at = dice.randrange(min(len(content), 400) if near else len(content))
    copy = bytearray(content)
    if what == "cut":
        del copy[at:]
    elif what == "flip":
        for _ in range(dice.choice((1, 1, 2, 8))):
            place = min(at + dice.randrange(64), len(copy) - 1)
            copy[place] ^= 1 << dice.randrange(8)
    elif what == "number":
        copy[at : at + 4] = dice.choice(_NUMBERS)
    elif what == "fill":
        copy[at : at + dice.choice((16, 1000, 100_000))] = bytes([dice.choice((0, 255))]) * 1000
    elif what == "repeat":
        piece = copy[at : at + dice.choice((1, 30, 1000))]
        copy[at:at] = piece * dice.choice((1, 10, 100))
    else:
        del copy[at : at + dice.choice((1, 4, 500))]
    return f"{what} at {at}", bytes(copy)


def read_with_each(readers: Iterable[Callable[[Path], Any]], path: Path) -> None:
    """Read a file in every way that commands do, each as far as it gets.

    Raises:
        EdgeEffnetError: the last refusal.
    """
    refused = None
    for reader in readers:
        try:
            reader(path)
        except EdgeEffnetError as error:
            refused = error
    if refused is not None:
        raise refused
