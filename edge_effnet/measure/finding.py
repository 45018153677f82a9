"""One thing that ``doctor`` found about a machine or a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One reason; ``slow`` marks what costs speed, the others are good to know."""

    code: str
    slow: bool
    what: str
    fix: str | None = None
