"""How what was typed is read: numbers with a sign, sizes, and words that were mistyped."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable

from edge_effnet.errors import UsageProblem

# Of ``difflib.get_close_matches``: at 0.7 "covnert" is convert, and "resnet" no "densenet121".
_LIKENESS = 0.7
_BEGINNING = 3  # letters that stand for the one name that begins with them


def read_number(text: str) -> tuple[float, bool] | None:
    """A number, and whether a ``%`` stands behind it; None for anything else."""
    plain = text.strip()
    try:
        number = float(plain.removesuffix("%"))
    except ValueError:
        return None
    return None if math.isnan(number) else (number, plain.endswith("%"))


def read_share(text: str) -> float:
    """``0.3`` or ``30%``, to 0.3.

    Raises:
        ValueError: no number.
    """
    found = read_number(text)
    if found is None:
        raise ValueError(f"{text!r} is no number")
    return found[0] / 100 if found[1] else found[0]


def read_size(text: str) -> tuple[int, int]:
    """``--size 640x480``, to (640, 480).

    Raises:
        UsageProblem: no size.
    """
    match = re.fullmatch(r"(\d{2,5})[x×X](\d{2,5})", text.strip())
    if match is None:
        raise UsageProblem(
            "--size is not understood",
            found=repr(text),
            expected="width x height in pixels",
            fix="for example --size 640x480",
        )
    return int(match[1]), int(match[2])


_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def read_duration(text: str, option: str) -> float:
    """``30``, ``30s``, ``10m``, ``1.5h`` or ``2d``, to seconds.

    Raises:
        UsageProblem: no such time, or none at all.
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?) ?([a-z]*)", text.strip().lower())
    seconds = float(match[1]) * _SECONDS.get(match[2], 0) if match else 0.0
    if not seconds:
        expected = "a time above 0, in s, m, h or d"
        raise not_understood(option, text, expected=expected, example="10m")
    return seconds


def duration_text(seconds: float) -> str:
    """``10 min``: in the largest unit of which it is a whole number, else in seconds."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"


def read_amount(text: str, option: str) -> float:
    """Read a number with a unit: ``200M``, ``4.5MB``, ``512KiB``, ``3e8``.

    Raises:
        UsageProblem: no number, an unknown unit, or not positive.
    """
    # A bare B is refused: it is a byte to some, a billion to others.
    match = re.fullmatch(r"([0-9.]+(?:e[0-9]+)?)\s*(?:([kmg]i?)b?)?", text.strip().lower())
    try:
        value = float(match[1]) * _UNITS[match[2] or ""] if match else 0.0
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        expected = "a positive number, with K, M, G or KB, MB, MiB if you like"
        raise not_understood(option, text, expected=expected, example="4.5M")
    return value


def not_understood(option: str, text: str, *, expected: str, example: str) -> UsageProblem:
    """The error for an amount that cannot be read."""
    return UsageProblem(
        f"{option} is not understood",
        found=repr(text),
        expected=expected,
        fix=f"for example {option} {example}",
    )


def nearest(word: str, known: Iterable[str], *, prefix: str = "") -> str | None:
    """The known name that ``word`` is most likely meant to be, or None.

    Capitals, blanks, ``-``, ``_`` and ``.`` do not count. Numbers must agree where the word has
    any: lite5 is no slip for lite4.

    Args:
        prefix: regular expression of what people put before such a name, lower case.
    """
    plain = {_plain(name): name for name in known}
    asked = _plain(word)
    asked = re.sub(f"^{prefix}", "", asked) if asked not in plain else asked
    numbers = re.findall(r"\d+", asked)
    fitting = [name for name in plain if not numbers or re.findall(r"\d+", name) == numbers]
    begun = [name for name in fitting if name.startswith(asked)]
    if len(begun) == 1 and len(asked) >= _BEGINNING:
        return plain[begun[0]]
    swapped = [name for name in fitting if sorted(name) == sorted(asked)]  # "fro" is for
    if len(swapped) == 1:
        return plain[swapped[0]]
    close = difflib.get_close_matches(asked, fitting, n=1, cutoff=_LIKENESS)
    return plain[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str], *, prefix: str = "") -> str:
    """``; did you mean b0?``, or nothing, to go behind what was wrong."""
    found = nearest(word, known, prefix=prefix)
    return f"; did you mean {found}?" if found else ""


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())
