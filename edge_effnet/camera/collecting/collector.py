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
from edge_effnet.camera.collecting.layout import (
    DISCARDED,
    LINES,
    PHOTOS,
    TO_LABEL,
    class_folder,
)
from edge_effnet.camera.evaluation.taps import Tap, Taps
from edge_effnet.camera.frames import ComparedFrame, Frame, FrameScores, Region
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.frame_files import FrameFiles
from edge_effnet.data.division.bursts import burst_name
from edge_effnet.image.preprocessing import Preprocess, around_crop
from edge_effnet.metrics.one_model.classification import top_answers

UNSURE_MARGIN = 0.2
"""Between the best two probabilities; below it the answer is unsure."""
TOLD_EVERY_S = 0.5
"""One told frame is kept in so much of the source's time: neighbouring frames are nearly one."""
APART_S = 10.0
"""Frames that nobody told and that are further apart in the source's time are of two moments."""
_UNTOLD = (TO_LABEL, DISCARDED)
_RECOUNT_S = 60.0
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
    written: int = 0


class Collector:
    """Keeps frames in its own thread; used from the session's.

    Attributes:
        labels: of the models.
        keeping: whether frames are kept that nobody told.

    Args:
        region: of frames that the models see.
        preprocess: of the models; of the region the part around their crop is kept. What lies
            beside it they never see, and networks that learned from whole frames mistook how
            large a thing is in them for what it is (docs/research/tried.md).
        taps: that tell classes; None without a page.
        most: files at most, those of earlier runs included.
    """

    def __init__(
        self,
        folder: Path,
        *,
        labels: Sequence[str],
        region: Region,
        preprocess: Preprocess,
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
        self._preprocess = preprocess
        self._lock = threading.Lock()
        self._lines: dict[Path, tuple[dict[str, Any], _Burst | None]] = {}
        self._taken_back: set[Path] = set()
        self._scenes: dict[int, None] = {}
        self._recent: deque[tuple[FrameScores, Sequence[str]]] = deque(maxlen=_RECENT)
        self._untold = sum(len(list((folder / name).glob("*.jpg"))) for name in _UNTOLD)
        self._most_untold, self._recount_s = max(1, most // 2), float("-inf")
        self._untold_s, self._untold_burst = float("-inf"), ("", 0)
        self._bursts: dict[int, _Burst] = {}
        self._undone = 0
        self.keeping = True
        self._told_s = float("-inf")
        self._full_said = self._untold_full_said = False

    @property
    def problem(self) -> str | None:
        return self._files.problem

    def recorded(self) -> list[tuple[str, int, int]]:
        """Of each class that was told in this run: photos, and presses that they are of; asked
        from any thread."""
        found: dict[str, list[int]] = {}
        for burst in list(self._bursts.values()):
            if burst.written:
                found.setdefault(burst.label, []).append(burst.written)
        return [(label, sum(counts), len(counts)) for label, counts in found.items()]

    @property
    def full(self) -> bool:
        """Whether no photo is kept any more."""
        return self._files.full

    def see(self, answer: FrameScores, *, unknown: bool) -> None:
        """Take the model's answer to a frame.

        Args:
            unknown: whether the frame is like none that the model was taught.
        """
        self._recent.append((answer, self.labels))
        if self._taps is not None and self._keep_those_told(self._taps):
            return
        best = top_answers(answer.scores[None], 2)[0]
        margin = float(answer.scores[best[0]] - answer.scores[best[-1]])
        if unknown or (len(best) > 1 and margin < UNSURE_MARGIN):
            self._keep_scene(answer, "unknown" if unknown else "unsure", {})

    def take_over(self, labels: Sequence[str]) -> None:
        """Another model answers from now on."""
        self.labels = tuple(labels)

    def _keep_those_told(self, taps: Taps) -> bool:
        """Keep recent frames that a tap is about, put those of taps undone among the frames that
        nobody told; whether the newest frame is told."""
        for number in taps.undone_after(self._undone):
            self._undone += 1
            if (burst := self._bursts.pop(number, None)) is not None:
                self._put_back(burst.paths)
        left, told = deque[tuple[FrameScores, Sequence[str]]](maxlen=_RECENT), False
        for one, labels in self._recent:
            tap = taps.find(one.frame.captured_s)
            told = tap is not None
            if tap is None:
                left.append((one, labels))
            else:
                self._keep_told(one, tap, labels)
        self._recent = left
        return told

    def _keep_told(self, answer: FrameScores, tap: Tap, labels: Sequence[str]) -> None:
        frame, label = answer.frame, tap.label
        since_s = frame.time_s - self._told_s
        if 0 <= since_s < TOLD_EVERY_S and tap.from_s != tap.until_s:
            return
        self._told_s = frame.time_s
        burst = self._bursts.setdefault(tap.number, _Burst(label, time.strftime(_MOMENT)))
        name = burst_name(burst.moment, tap.number, len(burst.paths))
        path = self._folder / PHOTOS / class_folder(label) / name
        line = {"label": label, "model": _best(answer.scores, labels)}
        if self._keep(path, frame, line, burst):
            burst.paths.append(path)

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
            reference = {"reference": _best(pair.reference_scores, self.labels)}
            self._keep_scene(pair.answer, "disagree", reference)

    def _keep_scene(self, answer: FrameScores, reason: str, more: dict[str, Any]) -> None:
        if answer.scene in self._scenes or not self.keeping or self._untold_are_full():
            return
        self._scenes[answer.scene] = None
        if len(self._scenes) > _SCENES:
            del self._scenes[next(iter(self._scenes))]
        path = self._folder / TO_LABEL / self._untold_name(answer.frame)
        line = {"reason": reason, "model": _best(answer.scores, self.labels), **more}
        self._untold += self._keep(path, answer.frame, line)

    def _untold_name(self, frame: Frame) -> str:
        """Frames that follow each other are of one moment, as those of one press are."""
        since_s = frame.time_s - self._untold_s
        self._untold_s = frame.time_s
        moment, place = self._untold_burst
        if not 0 <= since_s < APART_S:
            moment, place = time.strftime(_MOMENT), 0
        self._untold_burst = moment, place + 1
        return burst_name(moment, 0, place)

    def _untold_are_full(self) -> bool:
        """Whether as many frames wait for a label as may: told ones have the rest of the room."""
        now_s = time.monotonic()
        if self._untold >= self._most_untold and now_s >= self._recount_s:
            self._recount_s = now_s + _RECOUNT_S  # some may have been labelled meanwhile
            folders = (self._folder / name for name in _UNTOLD)
            self._untold = sum(len(list(folder.glob("*.jpg"))) for folder in folders)
        full = self._untold >= self._most_untold
        if full and not self._untold_full_said:
            self._untold_full_said = True
            self._say(
                f"{self._folder} has its fill of frames that nobody told: label some, or empty "
                f"{DISCARDED}"
            )
        return full

    def _keep(
        self, path: Path, frame: Frame, line: dict[str, Any], burst: _Burst | None = None
    ) -> bool:
        """Whether there is room for it."""
        full = self._files.full
        if not full:
            with self._lock:
                self._lines[path] = line, burst
                if len(self._lines) > _WAITING:  # of a frame that a slow disk left no room for
                    del self._lines[next(iter(self._lines))]
            self._files.put(path, around_crop(self._region.cut(frame.pixels), self._preprocess))
        elif not self._full_said:
            self._full_said = True
            self._say(f"{self._folder} has its fill of frames; no more are kept (--max-saved)")
        return not full

    def _write_line(self, path: Path) -> None:
        """In the thread that has written the image: a line is about a file that is there."""
        with self._lock:
            told, burst = self._lines.pop(path, ({}, None))
            if burst is not None:
                burst.written += 1
        line = {"file": str(path.relative_to(self._folder)), **told}
        with (self._folder / LINES).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
        self._put_back_if_there(path)

    def flush(self) -> None:
        """Wait until what was kept so far is on the disk."""
        self._files.wait_written(_FLUSH_S)

    def end(self) -> None:
        self._files.end()


def _best(scores: Float32Array, labels: Sequence[str]) -> list[list[Any]]:
    indices = top_answers(scores[None], _SHOWN)[0]
    return [[labels[index], round(float(scores[index]), 4)] for index in indices]
