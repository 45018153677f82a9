"""How a conversion says how far it is."""

from __future__ import annotations

from collections.abc import Callable

StartStage = Callable[[str, int | None], Callable[[int], None]]
"""Told the name of a stage and its number of steps (None: unknown); answers with the
function to call with the steps done."""


def no_progress(_name: str, _steps: int | None) -> Callable[[int], None]:
    """A stage that tells nobody."""
    return lambda _count: None
