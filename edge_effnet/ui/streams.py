"""Standard output and error: open, and what their encoding lacks is written in ASCII.

A terminal in the C locale, a Windows console or a log may take no UTF-8, and file names may hold
bytes that are none: neither may end a run with an exception after its work is done.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata
from pathlib import Path

from edge_effnet.printable import printable

HANDLER, ENCODING = "edge-effnet-ascii", "edge_effnet_ascii"
_ASCII = str.maketrans(
    {
        "…": "...",
        "–": "-",
        "—": "-",
        "−": "-",
        "×": "x",
        "·": ".",
        "±": "+-",
        "→": "->",
        "≥": ">=",
        "≤": "<=",
        "°": " deg ",
        "µ": "u",
        "✓": "+",
        "█": "#",
        "“": '"',
        "”": '"',
        "’": "'",
    }
)


def open_what_is_closed() -> None:
    """Open streams that were closed when the process started (``2>&-``) to nowhere: the next file
    would take their number, and get what native code prints."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 (to the end)


def stdout_goes_nowhere() -> bool:
    """Whether standard output was closed when the process started."""
    return getattr(sys.stdout, "name", None) == os.devnull


def write_what_can_be_written() -> None:
    """Make both streams of this process write ASCII for what they cannot encode."""
    codecs.register_error(HANDLER, _in_ascii)
    codecs.register(_own_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=ENCODING if ascii_only else None, errors=HANDLER)


def _own_ascii(name: str) -> codecs.CodecInfo | None:
    """ASCII by another name: click takes a stream of that one for a mistake, and writes UTF-8."""
    if name != ENCODING:
        return None
    ascii_ = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii_.encode,
        ascii_.decode,
        incrementalencoder=ascii_.incrementalencoder,
        incrementaldecoder=ascii_.incrementaldecoder,
        name=ENCODING,
    )


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_letter, text)), error.end


def _letter(character: str) -> str:
    known = character.translate(_ASCII)
    base = "".join(c for c in unicodedata.normalize("NFKD", known) if not unicodedata.combining(c))
    if base.isascii():
        return base
    shown = printable(character)
    return shown if shown.isascii() else character.encode("ascii", "backslashreplace").decode()
