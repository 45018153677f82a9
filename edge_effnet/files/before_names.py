"""Names of files that were replaced: ``mine.tflite`` is kept as
``mine.before-20261129-101500.tflite``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import PurePosixPath

_MOMENT = "%Y%m%d-%H%M%S"


def before_name(name: str, moment: datetime) -> str:
    """Under which a file is kept when it is replaced.

    >>> before_name("mine.tflite", datetime(2026, 11, 29, 10, 15))
    'mine.before-20261129-101500.tflite'
    """
    path = PurePosixPath(name)
    return f"{path.stem}.before-{moment:{_MOMENT}}{path.suffix}"


def kept_names(name: str, names: Iterable[str]) -> list[str]:
    """Those of ``names`` under which ``name`` was kept, the newest first."""
    found = [(moment, one) for one in names if (moment := _moment(name, one)) is not None]
    return [one for _, one in sorted(found, reverse=True)]


def next_name(name: str, names: Iterable[str], now: datetime) -> str:
    """The name to keep it under now: newer than all there are, whatever the clock says."""
    newest = max((m for one in names if (m := _moment(name, one)) is not None), default=None)
    moment = now if newest is None else max(now, newest + timedelta(seconds=1))
    return before_name(name, moment)


def parse_moment(text: str) -> datetime | None:
    """A moment as it stands in such a name; None for anything else."""
    try:
        return datetime.strptime(text, _MOMENT)
    except ValueError:
        return None


def _moment(name: str, other: str) -> datetime | None:
    path = PurePosixPath(name)
    pattern = rf"{re.escape(path.stem)}\.before-(\d{{8}}-\d{{6}}){re.escape(path.suffix)}"
    found = re.fullmatch(pattern, other, re.ASCII)
    return parse_moment(found[1]) if found else None
