"""JSON lines: one object for each answer, comparison and note, as they happen."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from edge_effnet.arrays import Float32Array
from edge_effnet.camera.answers import Decision, answered_indices
from edge_effnet.camera.frames import ComparedFrame, FrameScores
from edge_effnet.errors import cannot_write
from edge_effnet.files.write import refuse_existing
from edge_effnet.heads.head import Head


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
            raise cannot_write(path, error) from error

    def answer(
        self, answer: FrameScores, seen: Decision, labels: Sequence[str], head: Head
    ) -> None:
        """``label`` (``labels``, ``value``) and ``best`` are smoothed; ``raw`` is this frame's own
        answer."""
        self._write(
            {
                "type": "answer",
                "frame": answer.frame.number,
                "time_s": round(answer.frame.time_s, 4),
                **({"file": str(answer.frame.path)} if answer.frame.path else {}),
                **_shown(seen, head),
                "raw": _own_answer(head, answer.scores, labels),
                "delay_ms": round(answer.delay_ms, 2),
                "model_ms": round(answer.infer_ms, 2),
            }
        )

    def pair(
        self, pair: ComparedFrame, agree: bool | None, labels: Sequence[str], head: Head
    ) -> None:
        """``head`` is the reference's; of values, none agree or differ."""
        self._write(
            {
                "type": "comparison",
                "frame": pair.answer.frame.number,
                **({} if agree is None else {"agree": agree}),
                "reference": _own_answer(head, pair.reference_scores, labels),
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


def _shown(seen: Decision, head: Head) -> dict[str, Any]:
    if head.task == "value":
        return {"value": _number_or_list(seen.values)}
    best = [[item.label, item.score] for item in seen.best]
    if head.task == "labels":
        given = () if seen.nothing else seen.answers
        return {"labels": [item.label for item in given], "best": best}
    return {"label": seen.label, "best": best}


def _own_answer(head: Head, scores: Float32Array, labels: Sequence[str]) -> Any:
    """[class, score] of one frame, [[label, score], …], or the value."""
    if head.task == "value":
        return _number_or_list(tuple(map(float, scores)))
    answers = [[labels[index], float(scores[index])] for index in answered_indices(head, scores)]
    return answers if head.task == "labels" else answers[0]


def _number_or_list(values: Sequence[float]) -> float | list[float]:
    return values[0] if len(values) == 1 else list(values)


def _close(file: TextIO) -> None:
    try:
        file.close()
    except OSError:  # what was buffered does not fit either
        return
