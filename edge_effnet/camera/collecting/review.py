"""Labels for frames that ``--collect`` has kept: a viewer looks at many and moves them into the
folder of their class."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.camera.collecting.alike import groups_alike
from edge_effnet.camera.collecting.layout import (
    DISCARDED,
    LINES,
    PHOTOS,
    TO_LABEL,
    class_folder,
)
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.files.json_text import parse_json

SHOWN = 200
"""Frames on the page at once, the oldest first: more come when these are labelled."""
_REMEMBERED = 1000
_LAST_LINES_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Moved:
    """What an order has done.

    Attributes:
        moved: files.
        gone: files that were not there any more: another viewer has labelled them.
    """

    moved: int
    gone: int = 0

    def to_json(self) -> dict[str, int]:
        return {"moved": self.moved, "gone": self.gone}


class Review:
    """The frames that wait for a label; asked from the page's threads.

    Args:
        folder: of ``--collect``.
        taps: knows the classes, and those that viewers have added.
    """

    def __init__(self, folder: Path, taps: Taps) -> None:
        self._folder, self._taps = folder, taps
        self._lock = threading.Lock()
        self._done: deque[list[tuple[Path, Path]]] = deque(maxlen=_REMEMBERED)

    @property
    def waiting(self) -> int:
        """How many frames wait."""
        return len(self._waiting())

    def to_json(self) -> dict[str, Any]:
        """The frames in groups, see ``groups_alike``, and how many wait in all."""
        names = sorted(path.name for path in self._waiting())
        lines = self._lines()
        answers = {name: _answers(lines.get(name, {})) for name in names[:SHOWN]}
        groups, others = groups_alike(answers)

        def about(name: str) -> dict[str, str]:
            reason = str(lines.get(name, {}).get("reason", ""))
            best = max(answers[name], key=answers[name].__getitem__, default="")
            return {"name": name, "why": reason, "answer": best}

        return {
            "labels": list(self._taps.labels),
            "waiting": len(names),
            "undoable": len(self._done),
            "groups": [[about(name) for name in group] for group in groups],
            "others": [about(name) for name in others],
        }

    def image(self, name: str) -> bytes | None:
        """A frame that waits; None where it does not (any more)."""
        if not _is_plain(name):
            return None
        try:
            return (self._folder / TO_LABEL / name).read_bytes()
        except OSError:
            return None

    def move(self, names: Sequence[str], label: str | None) -> Moved:
        """Move frames into the folder of a class; None puts them aside, and nothing is deleted.

        Raises:
            ValueError: no such class, a name that is no plain one, or a disk that refuses; for the
                viewer.
        """
        if not all(map(_is_plain, names)):
            raise ValueError("a name of a file that is none")
        if label is None:
            target = self._folder / DISCARDED
        else:
            target = self._folder / PHOTOS / class_folder(self._taps.named(label))
        pairs = [(self._folder / TO_LABEL / name, target / name) for name in dict.fromkeys(names)]
        with self._lock:
            done = _rename(pairs)
            if done:
                self._done.append(done)
        return Moved(len(done), len(pairs) - len(done))

    def undo(self) -> Moved:
        """Put back what was moved last."""
        with self._lock:
            if not self._done:
                return Moved(0)
            pairs = [(there, here) for here, there in self._done[-1]]
            done = _rename(pairs)
            self._done.pop()
        return Moved(len(done), len(pairs) - len(done))

    def _waiting(self) -> list[Path]:
        try:
            return [path for path in (self._folder / TO_LABEL).iterdir() if _is_plain(path.name)]
        except OSError:
            return []

    def _lines(self) -> dict[str, dict[str, Any]]:
        """What was noted of frames when they were kept, by the names of their files."""
        found: dict[str, dict[str, Any]] = {}
        with suppress(OSError), (self._folder / LINES).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _LAST_LINES_BYTES))
            for text in file.read().splitlines():
                with suppress(ValueError):  # the first may be cut
                    line = parse_json(text)
                    if isinstance(line, dict):
                        found[Path(str(line.get("file"))).name] = line
        return found


def _is_plain(name: str) -> bool:
    return name.endswith(".jpg") and not name.startswith(".") and not set(name) & set("/\\\0")


def _answers(line: dict[str, Any]) -> dict[str, float]:
    """What the model answered, as it was noted: scores by label."""
    with suppress(TypeError, ValueError, KeyError):
        return {str(label): float(score) for label, score in line["model"]}
    return {}


def _rename(pairs: Iterable[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Move files that are there; those that were moved.

    Raises:
        ValueError: the disk refuses; what was moved by then is put back.
    """
    done: list[tuple[Path, Path]] = []
    for here, there in pairs:
        try:
            there.parent.mkdir(parents=True, exist_ok=True)
            if there.exists():
                continue
            here.rename(there)
        except FileNotFoundError:
            continue
        except OSError as error:
            for before, after in done:
                with suppress(OSError):
                    after.rename(before)
            raise ValueError(f"not moved: {error.strerror or error}") from error
        done.append((here, there))
    return done
