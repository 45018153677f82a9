"""A user's float model as its reader hands it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_effnet.artifact import Card
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.tflite.reader import Structure


@dataclass(frozen=True)
class ReadModel:
    """A float ``.tflite`` with a batch of 1 and a fixed image size, and what its file says.

    Attributes:
        model: the bytes of the ``.tflite``.
        origin: of the weights, for the card.
        steps: what was done so far, for the card.
        notices: lines the user must see.
        card: of a file that this toolkit wrote.
        labels: names in index order, where the file says them.
        found: what the file says of how an image becomes its input.
    """

    model: bytes
    structure: Structure
    origin: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...] = ()
    notices: tuple[str, ...] = ()
    card: Card | None = None
    labels: tuple[str, ...] | None = None
    found: FoundPreprocess | None = None
