"""``frames.jsonl`` of a Pi, joined to the one here."""

from __future__ import annotations

from edge_effnet.files.json_text import parse_json


def joined_lines(ours: bytes, theirs: bytes) -> tuple[bytes, int]:
    """The lines of both, each once: ours as they are, then what is new of theirs.

    A last line without its end is being written over there, and comes the next time; what is no
    line of a camera is left out.

    Returns:
        The text, and how many lines are new.
    """
    known = set(ours.split(b"\n"))
    new = list[bytes]()
    for line in theirs.split(b"\n")[:-1]:
        if line not in known and _is_line(line):
            known.add(line)
            new.append(line)
    end = b"\n" if ours and not ours.endswith(b"\n") else b""
    return ours + end + b"".join(line + b"\n" for line in new), len(new)


def _is_line(text: bytes) -> bool:
    try:
        line = parse_json(text)
    except ValueError:
        return False
    return isinstance(line, dict) and isinstance(line.get("file"), str)
