"""JSON of others: every fault of it is a ``ValueError``, whatever the parser meets.

Python's own parser lets ``RecursionError`` out at deep nesting, reads ``1e999`` as infinity and
integers of any length, which overflow where they are used.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from edge_effnet.errors import DataError, EdgeEffnetError
from edge_effnet.files.limits import TEXT_BYTES
from edge_effnet.files.read import read_bytes

_LONGEST_NUMBER = 40  # characters; the shortest text of a float64 needs 24


def parse_json(text: str | bytes) -> Any:
    """What a JSON text says; numbers are finite, and integers fit 64 bits.

    Raises:
        ValueError: it is no JSON, no UTF-8, too deeply nested, or has a number that is none.
    """
    try:
        return json.loads(
            text, parse_int=_integer, parse_float=_real, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise ValueError("brackets nested too deeply") from None


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER or not -(2**63) <= (value := int(text)) < 2**64:
        raise ValueError(f"the number {text[:_LONGEST_NUMBER]}… of {len(text)} digits")
    return value


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:_LONGEST_NUMBER]}, which is not finite")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, which is no JSON")


def read_json(path: Path, error: type[EdgeEffnetError] = DataError) -> Any:
    """What a JSON file says.

    Raises:
        DataError: it is no regular file, or cannot be read.
        error: it is larger than the limit for text.
        ValueError: it is no JSON; the caller knows what it should have been.
    """
    return parse_json(read_bytes(path, TEXT_BYTES, error))
