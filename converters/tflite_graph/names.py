"""Names of tensors: ranges and recipes go by them, so each needs one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def name_apart(tensors: Sequence[Any]) -> bool:
    """Rename those of a tree's tensors that have no name or one given before; whether any was."""
    taken: set[bytes] = set()
    given, renamed = {tensor.name for tensor in tensors}, False
    for index, tensor in enumerate(tensors):
        if tensor.name is None or tensor.name in taken:
            tensor.name, renamed = _free_name(tensor.name, index, given | taken), True
        taken.add(tensor.name)
    return renamed


def _free_name(name: bytes | None, index: int, taken: set[bytes | None]) -> bytes:
    found = b"%s_%d" % (name or b"tensor", index)
    while found in taken:
        found += b"_"
    return found
