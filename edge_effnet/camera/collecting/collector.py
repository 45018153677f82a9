"""Frames worth labelling, and frames whose class a viewer tells, kept as ordinary photos.

Frames that nobody told are kept where they may teach something: where the models disagree, where
the best answer is unsure, or where they are like none that the model was taught. One of each scene
is kept.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_effnet.arrays import Float32Array
from edge_effnet.camera.collecting.layout import LINES, PHOTOS, TO_LABEL, class_folder
from edge_effnet.camera.evaluation.taps import Tap, Taps
from edge_effnet.camera.frames import ComparedFrame, Frame, FrameScores, Region
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.frame_files import FrameFiles
from edge_effnet.data.division.bursts import burst_name
from edge_effnet.metrics.one_model.classification import top_answers

UNSURE_MARGIN = 0.2
"""Between the best two probabilities; below it the answer is unsure."""
TOLD_EVERY_S = 0.5
"""One told frame is kept in so much of the source's time: neighbouring frames are nearly one."""
_WAITING = 64
_FLUSH_S = 5.0
_RECENT = 8
"""Answered frames that a tap may still be about."""
_SCENES = 4096
_MOMENT = "%Y%m%d-%H%M%S"
_SHOWN = 5  # answers of each model in a line


@dataclass
class _Burst:
    """Photos of one press."""

    label: str
    moment: str
    paths: list[Path] = field(default_factory=list)


class Collector:
    """Keeps frames in its own thread; used from the session's.

    Attributes:
        labels: of the models.
        keeping: whether frames are kept that nobody told.

    Args:
        region: of frames that the models see, which is kept.
        taps: that tell classes; None without a page.
        most: files at most, those of earlier runs included.
    """

    def __init__(
        self,
        folder: Path,
        *,
        labels: Sequence[str],
        region: Region,
        taps: Taps | None,
        most: int,
        floor: DiskFloor,
        say: Callable[[str], None],
    ) -> None:
        there = sum(1 for _ in folder.glob("*/**/*.jpg"))
        self._files = FrameFiles(
            folder, floor=floor, say=say, most=most - there, on_written=self._write_line
        )
        self._folder, self._taps, self._say = folder, taps, say
        self.labels, self._region = tuple(labels), region
        self._lock = threading.Lock()
        self._lines: dict[Path, dict[str, Any]] = {}
        self._taken_back: set[Path] = set()
        self._scenes: dict[int, None] = {}
        self._recent: deque[FrameScores] = deque(maxlen=_RECENT)
        self._bursts: dict[int, _Burst] = {}
        self._undone = 0
        self.keeping = True
        self._told_s = float("-inf")
        self._full_said = False

    @property
    def problem(self) -> str | None:
        return self._files.problem

    def recorded(self) -> list[tuple[str, int, int]]:
        """Of each class that was told in this run: photos, and presses that they are of; asked
        from any thread."""
        found: dict[str, list[int]] = {}
        for burst in list(self._bursts.values()):
            found.setdefault(burst.label, []).append(len(burst.paths))
        return [(label, sum(counts), len(counts)) for label, counts in found.items()]

    def see(self, answer: FrameScores, *, unknown: bool) -> None:
        """Take the model's answer to a frame.

        Args:
            unknown: whether the frame is like none that the model was taught.
        """
        self._recent.append(answer)
        if self._taps is not None and self._keep_those_told(self._taps):
            return
        best = top_answers(answer.scores[None], 2)[0]
        margin = float(answer.scores[best[0]] - answer.scores[best[-1]])
        if unknown or (len(best) > 1 and margin < UNSURE_MARGIN):
            self._keep_scene(answer, "unknown" if unknown else "unsure", {})

    def _keep_those_told(self, taps: Taps) -> bool:
        """Keep recent frames that a tap is about, put those of taps undone among the frames that
        nobody told; whether the newest frame is told."""
        for number in taps.undone_after(self._undone):
            self._undone += 1
            if (burst := self._bursts.pop(number, None)) is not None:
                self._put_back(burst.paths)
        left, told = deque[FrameScores](maxlen=_RECENT), False
        for one in self._recent:
            tap = taps.find(one.frame.captured_s)
            told = tap is not None
            if tap is None:
                left.append(one)
            else:
                self._keep_told(one, tap)
        self._recent = left
        return told

    def _keep_told(self, answer: FrameScores, tap: Tap) -> None:
        frame, label = answer.frame, tap.label
        since_s = frame.time_s - self._told_s
        if 0 <= since_s < TOLD_EVERY_S and tap.from_s != tap.until_s:
            return
        self._told_s = frame.time_s
        burst = self._bursts.setdefault(tap.number, _Burst(label, time.strftime(_MOMENT)))
        name = burst_name(burst.moment, tap.number, len(burst.paths))
        path = self._folder / PHOTOS / class_folder(label) / name
        burst.paths.append(path)
        self._keep(path, frame, {"label": label, "model": self._best(answer.scores)})

    def _put_back(self, paths: Sequence[Path]) -> None:
        """Nothing is deleted: they may be told again. One that waits to be written comes later."""
        for path in paths:
            with self._lock:
                self._taken_back.add(path)
            self._put_back_if_there(path)

    def _put_back_if_there(self, path: Path) -> None:
        target = self._folder / TO_LABEL / path.name
        with self._lock, contextlib.suppress(OSError):
            if path in self._taken_back and path.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)
                self._taken_back.remove(path)

    def see_pair(self, pair: ComparedFrame) -> None:
        """Take a frame that both models have seen and answered otherwise."""
        tap = self._taps.find(pair.answer.frame.captured_s) if self._taps is not None else None
        if tap is None:
            reference = {"reference": self._best(pair.reference_scores)}
            self._keep_scene(pair.answer, "disagree", reference)

    def _keep_scene(self, answer: FrameScores, reason: str, more: dict[str, Any]) -> None:
        if answer.scene in self._scenes or not self.keeping:
            return
        self._scenes[answer.scene] = None
        if len(self._scenes) > _SCENES:
            del self._scenes[next(iter(self._scenes))]
        path = self._folder / TO_LABEL / _name(answer.frame, reason)
        line = {"reason": reason, "model": self._best(answer.scores), **more}
        self._keep(path, answer.frame, line)

    def _keep(self, path: Path, frame: Frame, line: dict[str, Any]) -> None:
        if not self._files.full:
            with self._lock:
                self._lines[path] = line
                if len(self._lines) > _WAITING:  # of a frame that a slow disk left no room for
                    del self._lines[next(iter(self._lines))]
            self._files.put(path, self._region.cut(frame.pixels))
        elif not self._full_said:
            self._full_said = True
            self._say(f"{self._folder} has its fill of frames; no more are kept (--max-saved)")

    def _best(self, scores: Float32Array) -> list[list[Any]]:
        indices = top_answers(scores[None], _SHOWN)[0]
        return [[self.labels[index], round(float(scores[index]), 4)] for index in indices]

    def _write_line(self, path: Path) -> None:
        """In the thread that has written the image: a line is about a file that is there."""
        with self._lock:
            told = self._lines.pop(path, {})
        line = {"file": str(path.relative_to(self._folder)), **told}
        with (self._folder / LINES).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
        self._put_back_if_there(path)

    def flush(self) -> None:
        """Wait until what was kept so far is on the disk."""
        self._files.wait_written(_FLUSH_S)

    def end(self) -> None:
        self._files.end()


def _name(frame: Frame, kind: str) -> str:
    now_s = time.time()
    moment = time.strftime(_MOMENT, time.localtime(now_s))
    return f"{moment}-{1000 * (now_s % 1):03.0f}-{kind}-frame{frame.number:07d}.jpg"
