"""What is really in a frame: a CSV, or the name of the folder a picture lies in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_effnet.camera.frames import Frame
from edge_effnet.data.labels import match_label
from edge_effnet.data.likeness import prints_of, prints_of_pixels
from edge_effnet.data.seen import Seen, learned_from
from edge_effnet.errors import DataError

FOLDER = "folder"

Truth = Callable[[Frame], int | None]
"""The true class of a frame as an index, None where it is not known."""


def read_truth(text: str, source: str, labels: Sequence[str]) -> Truth:
    """Open what ``--truth`` names.

    Args:
        text: ``folder``, or a CSV with the columns ``frame`` (position from 0) or ``file``
            (relative to the CSV), and ``label``; a blank label means "not known".
        source: what ``--source`` names.
        labels: of the model.

    Raises:
        DataError: no such file, no such columns, or a class the model does not know.
    """
    if text == FOLDER:
        return _by_folder(Path(source), labels)
    path = Path(text)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read as a CSV file", found=str(error), fix="check --truth"
        ) from error
    columns = set(rows[0]) if rows else set()
    key = next((name for name in ("frame", "file") if name in columns), None)
    if key is None or "label" not in columns:
        raise DataError(
            f"{path} is no truth for frames",
            found=f"the columns {', '.join(sorted(filter(None, columns))) or 'none'}",
            expected="frame (or file) and label",
            fix="write one row per frame: 0,stop",
        )
    known = {
        str(row[key] or "").strip(): _class_of(str(row["label"]).strip(), path, labels)
        for row in rows
        if str(row["label"] or "").strip()
    }
    if key == "file":
        files = {(path.parent / name).resolve(): label for name, label in known.items()}
        return lambda frame: files.get(frame.path.resolve()) if frame.path else None
    try:
        frames = {int(number): label for number, label in known.items()}
    except ValueError as error:
        raise DataError(
            f"{path} has a frame that is no number",
            found=str(error),
            expected="0, 1, 2 …",
            fix="correct the file",
        ) from error
    return lambda frame: frames.get(frame.position)


@dataclass
class Unseen:
    """A truth that is silent about frames the models were trained on: those prove nothing.

    Attributes:
        known: the records of their trainings.
        trained: how many frames it was silent about.
    """

    truth: Truth
    known: Sequence[Seen]
    trained: int = 0
    _last: tuple[int, bool] = (-1, False)

    def __call__(self, frame: Frame) -> int | None:
        true = self.truth(frame)
        if true is None:
            return None
        if self._last[0] != frame.number:  # two models ask about one frame
            prints = prints_of([frame.path]) if frame.path else prints_of_pixels(frame.pixels)
            self._last = frame.number, bool(learned_from(prints, self.known)[0])
            self.trained += self._last[1]
        return None if self._last[1] else true

    def line(self, labelled: int) -> str | None:
        """What to say first, given how many other frames had a known class."""
        if not self.trained:
            return None
        said = f"the network was trained on {self.trained} frames (or on near-duplicates of them)"
        if labelled:
            return f"{said}: judged by the {labelled} others with a known class"
        return f"no evidence: {said}, and no other has a known class to judge it by"


def _by_folder(source: Path, labels: Sequence[str]) -> Truth:
    if not source.exists():
        raise DataError(
            f"--truth {FOLDER} needs a file or a folder as source",
            found=str(source),
            fix="give a CSV with --truth, or leave it out",
        )
    if source.is_file():
        whole = _class_of(source.resolve().parent.name, source, labels)
        return lambda _: whole

    def truth(frame: Frame) -> int | None:
        return match_label(frame.path.parent.name, labels) if frame.path else None

    return truth


def _class_of(name: str, where: Path, labels: Sequence[str]) -> int:
    found = match_label(name, labels)
    if found is None:
        raise DataError(
            f"{where} names a class the model does not know",
            found=repr(name),
            expected=f"one of its {len(labels)} labels: {', '.join(labels[:3])} …",
            fix="rename the class, or give the model's own list with --labels",
        )
    return found
