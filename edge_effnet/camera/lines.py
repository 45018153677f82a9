"""JSON lines: one object for each answer, comparison and note, as they happen."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from edge_effnet.camera.frames import Answer, Pair
from edge_effnet.camera.smoothing import Verdict
from edge_effnet.errors import OutputError
from edge_effnet.files import refuse_existing


class JsonLines:
    """Writes to standard output (``-``) or a file. A file that cannot be written any more, on a
    full disk say, ends with a note; a closed pipe is BrokenPipeError, as for any command."""

    def __init__(self, destination: str, *, overwrite: bool, say: Callable[[str], None]) -> None:
        self._say, self._name = say, destination
        self._file: TextIO | None = sys.stdout
        self._own = destination != "-"
        if not self._own:
            return
        path = Path(destination)
        refuse_existing(path, overwrite=overwrite)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # By the line, so that another program can follow it.
            self._file = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written",
                found=error.strerror or str(error),
                fix="choose a folder you may write to",
            ) from error

    def answer(self, answer: Answer, seen: Verdict, labels: Sequence[str]) -> None:
        """``label`` and ``best`` are smoothed; ``raw`` is this frame's own answer."""
        place = int(answer.scores.argmax())
        self._write(
            {
                "type": "answer",
                "frame": answer.frame.number,
                "time_s": round(answer.frame.time_s, 4),
                **({"file": str(answer.frame.path)} if answer.frame.path else {}),
                "label": seen.label,
                "best": [[item.label, item.score] for item in seen.best],
                "raw": [labels[place], float(answer.scores[place])],
                "delay_ms": round(answer.delay_ms, 2),
                "model_ms": round(answer.infer_ms, 2),
            }
        )

    def pair(self, pair: Pair, agree: bool, labels: Sequence[str]) -> None:
        place = int(pair.reference_scores.argmax())
        self._write(
            {
                "type": "comparison",
                "frame": pair.answer.frame.number,
                "agree": agree,
                "reference": [labels[place], float(pair.reference_scores[place])],
                "reference_ms": round(pair.reference_ms, 2),
            }
        )

    def note(self, text: str) -> None:
        self._write({"type": "note", "text": text})

    def _write(self, value: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            line = json.dumps({**value, "at": round(time.time(), 3)}, ensure_ascii=False)
            self._file.write(line + "\n")
            if not self._own:
                self._file.flush()
        except OSError as error:
            if not self._own:
                raise
            broken, self._file = self._file, None
            self._say(f"{self._name} cannot be written any more: {error.strerror or error}")
            _close(broken)

    def end(self) -> None:
        if self._own and self._file is not None:
            _close(self._file)
            self._file = None


def _close(file: TextIO) -> None:
    try:
        file.close()
    except OSError:  # what was buffered does not fit either
        return
