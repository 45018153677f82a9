"""What ``--data signs`` means: the embedded data set, unless there is a folder of that name."""

from __future__ import annotations

from pathlib import Path

SIGNS = "signs"


def is_signs(data: Path | str | None) -> bool:
    """Whether an option means the embedded data set: the word, unless there is such a path."""
    return data is not None and Path(data) == Path(SIGNS) and not Path(SIGNS).exists()


def named_source(data: str) -> str:
    """The source that a run remembers: ``signs`` is the embedded data set there, whatever is in
    the folder it is resumed from; a folder of that name is ``./signs``."""
    return f"./{SIGNS}" if data == SIGNS and not is_signs(data) else data
