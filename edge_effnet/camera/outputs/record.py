"""Writing the feed to disk: a video with its overlay."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2

from edge_effnet.camera.answers import Decision
from edge_effnet.camera.frames import Frame, Region
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.overlay import draw
from edge_effnet.camera.threads.queues import BoundedQueue
from edge_effnet.errors import OutputError, UsageProblem, cannot_write
from edge_effnet.files.native_names import native_name
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.files.write import refuse_existing
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.system.native_threads import NativeThread

LONGEST_GAP_S = 2.0
INDEX_BYTES = 64
_CODECS = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}


@dataclass(frozen=True)
class AnnotatedFrame:
    """A frame with what is drawn on it."""

    frame: Frame
    decisions: tuple[tuple[str, Decision], ...]
    status: str


class Recorder:
    """Writes annotated frames to a video file in its own thread.

    The video has a fixed rate and follows the frames' own clock: a frame is repeated or left
    out as needed; a time lapse has each once. The file appears under its name when it is
    finished; a full disk ends the recording early, keeps what there is, and disturbs nothing else.

    Attributes:
        problem: why it is cut or missing; None where it is whole.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float,
        region: Region,
        every_frame: bool,
        overwrite: bool,
        floor: DiskFloor,
        say: Callable[[str], None],
        time_lapse: bool = False,
    ) -> None:
        refuse_recording(path)
        refuse_existing(path, overwrite=overwrite)
        self.written = 0
        self.problem: str | None = None
        self._path, self._fps, self._region, self._say = path, fps, region, say
        self._floor, self._time_lapse = floor, time_lapse
        self._scratch = ExitStack()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            folder = self._scratch.enter_context(scratch_folder(path.parent))
        except OSError as error:
            raise cannot_write(path, error) from error
        # The codec writes to a name, not to a stream, and goes by its suffix.
        self._part = folder / f"video{path.suffix.lower()}"
        self._queue: BoundedQueue[AnnotatedFrame] = BoundedQueue(4, wait=every_frame)
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._first_s: float | None = None
        self._thread = NativeThread(self._run, "recorder")
        self._thread.start()

    def put(self, annotated: AnnotatedFrame) -> None:
        self._queue.put(annotated)

    def end(self) -> None:
        """Finish the file."""
        self._queue.close()
        self._thread.join(60.0)

    def _run(self) -> None:
        try:
            while (annotated := self._queue.take()) is not None:
                if not self._write(annotated):
                    break
        except (OSError, cv2.error) as error:
            self._fail(f"recording ended: {' '.join(str(error).split())}")
        finally:
            self._queue.close(discard=True)
            self._finish()

    def _write(self, annotated: AnnotatedFrame) -> bool:
        pixels = annotated.frame.pixels
        # OpenCV does not say when a write fails. A frame takes no more than its raw pixels, and
        # the index at the file's end some bytes for each.
        next_bytes = pixels.nbytes + INDEX_BYTES * self.written
        if not self._floor.leaves_room(self._path.parent, next_bytes):
            self._fail(f"recording ended: the disk with {self._path} is nearly full (--keep-free)")
            return False
        if self._writer is None:
            rows, columns = pixels.shape[:2]
            self._size = (columns - columns % 2, rows - rows % 2)  # the codec wants even sides
            codec = cv2.VideoWriter.fourcc(*_CODECS[self._path.suffix.lower()])
            self._writer = cv2.VideoWriter(str(self._part), codec, self._fps, self._size)
            if not self._writer.isOpened():
                self._fail(f"recording ended: {self._path} cannot be written as video")
                return False
        if self._first_s is None:
            self._first_s = annotated.frame.time_s
        due = 1 + round((annotated.frame.time_s - self._first_s) * self._fps)
        due = self.written + 1 if self._time_lapse else due
        if due <= self.written:
            return True
        longest = max(1, round(LONGEST_GAP_S * self._fps))
        if due - self.written > longest:  # the source was away: do not fill hours with one image
            self._first_s += (due - self.written - longest) / self._fps
            due = self.written + longest
        image = cv2.cvtColor(self._drawn(annotated), cv2.COLOR_RGB2BGR)
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        while self.written < due:
            self._writer.write(image)
            self.written += 1
        return True

    def _drawn(self, annotated: AnnotatedFrame) -> Pixels:
        return draw(
            annotated.frame.pixels,
            annotated.decisions,
            region=self._region,
            status=annotated.status,
        )

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer.release()
        try:
            if self.written and not _plays(self._part):  # the writer does not say that it failed
                self._fail(f"{self._path} was not written: what was recorded does not play")
            elif self.written:
                self._part.replace(self._path)
        except OSError as error:
            self._fail(f"{self._path} cannot be written: {error.strerror or error}")
        finally:
            self._scratch.close()

    def _fail(self, text: str) -> None:
        self.problem = text
        self._say(text)


def refuse_recording(path: Path) -> None:
    """Raise UsageProblem where no video can be written under such a name, OutputError where none
    can be in its folder."""
    if path.suffix.lower() not in _CODECS:
        raise UsageProblem(
            f"--record cannot write {path.suffix or 'a file without suffix'}",
            expected=", ".join(_CODECS),
            fix="for example --record out.mp4",
        )
    native_name(path.parent, OutputError)  # its own name is given when it is finished


def _plays(path: Path) -> bool:
    reader = cv2.VideoCapture(str(path))
    try:
        return bool(reader.read()[0])
    finally:
        reader.release()
