"""Frames kept as images: those with an answer, and those that two models call differently."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from edge_effnet.camera.answers import Decision
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.outputs.base import answer_named
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.overlay import plain
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.threads.queues import BoundedQueue
from edge_effnet.errors import EdgeEffnetError, OutputError, UsageProblem
from edge_effnet.files.write import write_atomically
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.plurals import counted
from edge_effnet.spelling import read_share
from edge_effnet.system.native_threads import NativeThread

JPEG_QUALITY = 95
_LOOK_S = 0.02
WAITING_IMAGES = 4
"""Images that wait for a slow disk; the oldest makes room for the newest."""
KNOWN_FRAMES = 500
"""Frames saved by their answer that a run's JSON names: the latest."""


class FrameFiles:
    """Writes images below a folder in its own thread, by their suffix. What cannot be written is
    left out, and said once until writing succeeds again: a disk may be tidied meanwhile.

    Args:
        most: images at most.
        on_written: called in that thread with the path of each image that is on the disk.

    Attributes:
        written: images on the disk.
        problem: why images are missing that had room; None where none are.
    """

    def __init__(
        self,
        folder: Path,
        *,
        floor: DiskFloor,
        say: Callable[[str], None],
        most: float = float("inf"),
        on_written: Callable[[Path], None] | None = None,
    ) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be used to save frames",
                found=error.strerror or str(error),
                fix="choose a folder you may write to",
            ) from error
        self.written = 0
        self.problem: str | None = None
        self._folder, self._floor, self._say, self._most = folder, floor, say, most
        self._failing = False
        self._put = self._handled = 0
        self._on_written = on_written
        self._images: BoundedQueue[tuple[Path, Pixels]] = BoundedQueue(WAITING_IMAGES)
        self._thread = NativeThread(self._run, "saver")
        self._thread.start()

    @property
    def full(self) -> bool:
        return self.written >= self._most

    def put(self, path: Path, pixels: Pixels) -> None:
        """Write an image (height, width, 3), uint8 RGB; returns at once."""
        self._put += 1
        self._images.put((path, pixels))

    def wait_written(self, timeout_s: float) -> None:
        """Wait until what was put so far is on the disk, or could not be written."""
        until = time.monotonic() + timeout_s
        while self._put > self._handled + self._images.dropped and time.monotonic() < until:
            time.sleep(_LOOK_S)

    def end(self) -> None:
        self._images.close()
        self._thread.join(10.0)
        if self.written:
            self._say(f"{counted(self.written, 'frame')} saved in {self._folder}")

    def _run(self) -> None:
        while (item := self._images.take()) is not None:
            if not self.full:
                self._take(*item)
            self._handled += 1

    def _take(self, path: Path, pixels: Pixels) -> None:
        try:
            self._write(path, pixels)
            if self._on_written is not None:
                self._on_written(path)
        except (EdgeEffnetError, OSError) as error:
            text = error.what if isinstance(error, EdgeEffnetError) else str(error)
            self.problem = f"frames were not saved: {text}"
            if not self._failing:
                self._say(self.problem)
            self._failing = True
        else:
            self.written += 1
            self._failing = False

    def _write(self, path: Path, pixels: Pixels) -> None:
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
        data = cv2.imencode(path.suffix, bgr, quality)[1].tobytes()
        if not self._floor.leaves_room(self._folder, len(data)):
            megabytes = self._floor.floor_bytes / 1e6
            raise OutputError(
                f"{self._folder} is on a disk with {megabytes:.0f} MB free or less (--keep-free)",
                fix="make room",
            )
        write_atomically(path, data)


@dataclass(frozen=True)
class SavedAnswer:
    """Keep frames with this answer, of this score or more."""

    label: str
    min_score: float


def parse_saved_answer(text: str, labels: Sequence[str], none: str) -> SavedAnswer:
    """Read ``--save LABEL[:MIN_SCORE]``; ``none`` is the answer of no label.

    Raises:
        UsageProblem: no such label, or a score that is none.
    """
    name, colon, score = text.rpartition(":")
    try:
        share = read_share(score) if colon else None
    except ValueError:
        share = None  # the colon is the label's own
    if share is None:
        return SavedAnswer(answer_named(text, labels, none, option="--save"), 0.0)
    if not 0 <= share <= 1:
        raise UsageProblem(
            f"--save {text}: the score is out of range",
            found=score,
            expected="0 to 1, or 0% to 100%",
            fix=f"for example --save {name}:0.8",
        )
    return SavedAnswer(answer_named(name, labels, none, option="--save"), share)


@dataclass(frozen=True)
class SavedFrame:
    """A frame on the disk, and the answer that it was kept for."""

    path: Path
    label: str
    score: float
    number: int

    def to_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "label": self.label,
            "score": self.score,
            "frame": self.number,
        }


class AnswerSaver:
    """Keeps frames with an answer as JPEG, whole and without the overlay, in a folder for each
    label. While a label stays the answer, one frame is kept in ``pause_s`` of the source's own
    time; of images, each.
    """

    def __init__(
        self,
        answers: Sequence[SavedAnswer],
        folder: Path,
        *,
        pause_s: float,
        floor: DiskFloor,
        say: Callable[[str], None],
    ) -> None:
        self._files = FrameFiles(folder, floor=floor, say=say)
        self._folder, self._pause_s = folder, pause_s
        self._latest: deque[SavedFrame] = deque(maxlen=KNOWN_FRAMES)
        self._min_score = {answer.label: answer.min_score for answer in answers}
        self._due_s: dict[str, float] = {}

    @property
    def problem(self) -> str | None:
        return self._files.problem

    def see(self, shown: Decision, frame: Frame) -> None:
        for item in shown.answers:
            label, score = item.label, item.score
            if score < self._min_score.get(label, float("inf")):
                continue
            if frame.path is None and frame.time_s < self._due_s.get(label, float("-inf")):
                continue
            self._due_s[label] = frame.time_s + self._pause_s
            now_s = time.time()
            moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(now_s))
            name = f"{moment}-{1000 * (now_s % 1):03.0f}-frame{frame.number:07d}-{score:.2f}.jpg"
            path = self._folder / file_name_part(label) / name
            self._latest.append(SavedFrame(path, label, score, frame.number))
            self._files.put(path, frame.pixels)

    @property
    def saved(self) -> tuple[SavedFrame, ...]:
        """Those of the latest ``KNOWN_FRAMES`` frames that are on the disk, the first one first;
        once the run is over."""
        return tuple(one for one in self._latest if one.path.is_file())

    def take_over(self, settings: SessionSettings) -> None:
        """The labels that are asked about stay."""

    def tick(self, *, away: bool) -> None:
        """Nothing is due without a frame."""

    def end(self) -> None:
        self._files.end()


class DifferenceSaver:
    """Saves frames as PNG, at most ``most`` files in the folder, counting those of earlier runs:
    a service that restarts for ever must not fill the card."""

    def __init__(
        self, folder: Path, *, most: int, floor: DiskFloor, say: Callable[[str], None]
    ) -> None:
        there = sum(1 for _ in folder.glob("*-frame*.png"))
        self._files = FrameFiles(folder, floor=floor, say=say, most=most - there)
        self._folder, self._say = folder, say
        self._full_said = False
        self._started = time.strftime("%Y%m%d-%H%M%S")

    @property
    def problem(self) -> str | None:
        return self._files.problem

    def put(self, frame: Frame, reference: str, candidate: str) -> Path | None:
        """Save a frame that the models call differently; where, or None without room for it."""
        if not self._files.full:
            words = "-".join(map(file_name_part, (reference, candidate)))
            path = self._folder / f"{self._started}-frame{frame.number:07d}-{words}.png"
            self._files.put(path, frame.pixels)
            return path
        if not self._full_said:
            self._full_said = True
            self._say(f"{self._folder} has its fill of frames; no more are saved (--max-saved)")
        return None

    def end(self) -> None:
        self._files.end()


def file_name_part(label: str) -> str:
    """A label as a part of a file name: letters, digits and ``_``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", plain(label)).strip("_")[:24] or "x"
