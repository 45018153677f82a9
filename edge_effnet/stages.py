"""How a long job says how far it is: function types, and the ones that show nothing."""

from __future__ import annotations

from collections.abc import Callable

Advance = Callable[[int], None]
"""Called with the steps done so far."""
OnProgress = Callable[[int, int], None]
"""Called with the steps done so far and with all of them."""
StartStage = Callable[[str, int | None], Advance]
"""Called with the name of a stage and its number of steps (None: unknown); answers with the
function to call with the steps done."""

Tell = Callable[[str], None]
"""Called with a sentence for the user."""


def no_progress(_name: str, _steps: int | None) -> Advance:
    """A ``StartStage`` that shows nothing."""
    return lambda _done: None


def tell_nobody(_sentence: str) -> None:
    """A ``Tell`` that shows nothing."""
