"""What there is to say of a file, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_effnet.data.labels import listed
from edge_effnet.measure.finding import Finding
from edge_effnet.model_files import ModelFile, quoted
from edge_effnet.plurals import counted


@dataclass(frozen=True)
class FileDescription:
    """One file.

    Attributes:
        code: its row in the table of kinds.
        facts: a word and what stands behind it, for people: ``("made by", "Keras 2.4.0")``.
        problems: what is wrong with it.
        command: the one that helps; None where nothing has to be done, or no command can.
        extra: of the distribution, which the command needs.
        runs: whether it can be run and timed as it is.
    """

    path: Path
    code: str
    facts: tuple[tuple[str, str], ...]
    problems: tuple[Finding, ...] = ()
    command: str | None = None
    extra: str | None = None
    runs: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "kind": self.code,
            "facts": dict(self.facts),
            "problems": [asdict(problem) for problem in self.problems],
            "command": self.command,
            "command_needs": self.extra if self.command else None,
        }


def convert_command(path: Path, *options: str) -> str:
    """The command that makes int8 of a model, with the user's own file in it."""
    return " ".join(("edge-effnet convert --model", quoted(path), "--int8", *options))


def packed_facts(found: ModelFile) -> list[tuple[str, str]]:
    """What model an archive holds, and which others are passed over; nothing for a plain file."""
    if not found.member:
        return []
    facts = [("in it", found.member)]
    if found.others:
        facts.append(("also in it", f"{listed(found.others, 3)} (not read; unpack it to use that)"))
    return facts


def size_text(size: int) -> str:
    if size < 1000:
        return counted(size, "byte")
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def image_text(height: int | None, width: int | None, channels: int | None) -> str:
    """``224 x 224 RGB``; ``any size`` where a side is open."""
    colours = {1: "grey", 3: "RGB"}.get(channels or 0, f"{channels} channels")
    if not height or not width or min(height, width) < 1:
        return f"images of any size, {colours}"
    return f"{height} x {width} {colours}"
