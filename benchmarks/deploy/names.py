"""Names and moments on the Pi, beside those of ``edge_effnet.files.before_names``."""

from __future__ import annotations

import re
from datetime import datetime

from edge_effnet.files.before_names import parse_moment


def read_moment(text: str) -> datetime | None:
    """What ``date +%Y%m%d-%H%M%S`` prints, maybe after a greeting of the user's shell."""
    found = re.findall(r"^(\d{8}-\d{6})$", text, re.MULTILINE)
    return parse_moment(found[-1]) if found else None


def part_name(name: str, digest: str) -> str:
    """Of a file that is on its way."""
    return f".{name}.{digest[:16]}.part"


def is_part(name: str, other: str) -> bool:
    """Whether ``other`` is such a name of ``name``."""
    return re.fullmatch(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}\.part", other) is not None
