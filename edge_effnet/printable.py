"""Text of others, made harmless before it reaches a terminal, a table or a log.

File names, labels, cards and a Pi's answers can hold anything: escape sequences that repaint a
terminal, line feeds that forge a second line, marks that turn the reading direction around, and
the surrogates by which Python holds names that are no UTF-8.
"""

from __future__ import annotations

import re
import unicodedata

_JOINERS = frozenset("\u200c\u200d")  # belong to words and emoji
_PLAIN = re.compile(r"[ -~]*\Z")


def printable(text: str) -> str:
    r"""Text in which every character has a shape: others become ``\x1b``, ``\u202e``.

    Surrogates from ``os.fsdecode`` become the byte that they stand for; tabs and line feeds are
    escaped as well. What is printable stays as it is, whatever its script.
    """
    if _PLAIN.match(text):
        return text
    return "".join(map(_shown, text))


def without_surrogates(text: str) -> str:
    r"""Text that UTF-8 can hold: the surrogates of a name that is no UTF-8 become ``\xe9``."""
    if text.isascii():
        return text
    return "".join(_shown(one) if "\ud800" <= one <= "\udfff" else one for one in text)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or character in _JOINERS:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    elif character in "\t\n\r":
        return {"\t": r"\t", "\n": r"\n", "\r": r"\r"}[character]
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )
