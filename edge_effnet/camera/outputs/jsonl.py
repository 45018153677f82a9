"""JSON lines: one object for each answer, comparison and note, as they happen."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from edge_effnet.arrays import Float32Array
from edge_effnet.camera.answers import Decision, answered_indices
from edge_effnet.camera.frames import ComparedFrame, FrameScores
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.errors import cannot_write
from edge_effnet.files.write import dump_json, refuse_existing
from edge_effnet.heads.head import Head


class JsonLines:
    """Writes to standard output (``-``) or a file. A file that cannot be written any more, on a
    full disk say, ends with its last whole line and a note; a closed pipe is BrokenPipeError, as
    for any command.

    Attributes:
        problem: why lines are missing; None where none are.
    """

    def __init__(
        self,
        destination: str,
        *,
        overwrite: bool,
        floor: DiskFloor,
        say: Callable[[str], None],
        append: bool = False,
    ) -> None:
        self._say, self._name, self._floor = say, destination, floor
        self.problem: str | None = None
        self._file: int | None = None
        self._stdout = destination == "-"
        if self._stdout:
            return
        self._folder = (path := Path(destination)).parent
        refuse_existing(path, overwrite=overwrite or append)
        # Unbuffered, so that another program can follow it, and at the end of the file whatever
        # its size, so that it can be rotated.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, flags if append else flags | os.O_TRUNC, 0o666)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":  # of a run that was killed
                os.write(self._file, b"\n")
        except OSError as error:
            raise cannot_write(path, error) from error

    def answer(
        self, answer: FrameScores, seen: Decision, labels: Sequence[str], head: Head
    ) -> None:
        """``label`` (``labels``, ``value``) and ``best`` are smoothed; ``raw`` is this frame's own
        answer, ``similarity`` its own too."""
        self._write(
            {
                "type": "answer",
                "frame": answer.frame.number,
                "time_s": round(answer.frame.time_s, 4),
                **({"file": str(answer.frame.path)} if answer.frame.path else {}),
                **_shown(seen, head),
                "raw": _own_answer(head, answer.scores, labels),
                **_similarity("similarity", answer.similarity),
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
                **_similarity("reference_similarity", pair.reference_similarity),
                "reference_ms": round(pair.reference_ms, 2),
            }
        )

    def note(self, text: str) -> None:
        self._write({"type": "note", "text": text})

    def _write(self, value: dict[str, Any]) -> None:
        line = dump_json({**value, "at": round(time.time(), 3)}, indent=None) + "\n"
        if self._stdout:
            click.echo(line.encode(), nl=False)  # UTF-8, whatever the terminal's encoding
        elif self._file is not None:
            data = line.encode()
            try:
                if not self._floor.leaves_room(self._folder, len(data)):
                    self._fail("its disk is nearly full (--keep-free)")
                    return
                _write_whole(self._file, data)
            except OSError as error:
                self._fail(error.strerror or str(error))

    def _fail(self, reason: str) -> None:
        self.problem = f"{self._name} cannot be written any more: {reason}"
        self._say(self.problem)
        self.end()

    def end(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            os.close(file)
        except OSError as error:  # a network's disk says only now that it is full
            if self.problem is None:
                self._fail(error.strerror or str(error))


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


def _similarity(name: str, similarity: float | None) -> dict[str, float]:
    return {} if similarity is None else {name: similarity}


def _number_or_list(values: Sequence[float]) -> float | list[float]:
    return values[0] if len(values) == 1 else list(values)


def _write_whole(file: int, line: bytes) -> None:
    """Append a line, or nothing of it.

    Raises:
        OSError: it does not fit.
    """
    size = os.fstat(file).st_size
    try:
        while line:
            line = line[os.write(file, line) :]
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, size)
        raise
