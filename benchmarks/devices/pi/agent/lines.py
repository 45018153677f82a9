"""What the agent prints: JSON lines, the last of them an answer or an error."""

from __future__ import annotations

import json
from typing import Any


class Refused(Exception):
    """Becomes an error line."""

    def __init__(self, what: str, *, found: str | None = None, fix: str) -> None:
        super().__init__(what)
        self.line = {"what": what, "found": found, "fix": fix}


def tell(**line: Any) -> None:
    print(json.dumps(line), flush=True)
