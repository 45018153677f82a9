"""The capture thread: frames at their pace, and a source that went away brought back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from edge_effnet.camera.frames import Frame
from edge_effnet.camera.settings import Pace
from edge_effnet.camera.sources.base import (
    CapturedFrame,
    FrameSource,
    SourceEnded,
)
from edge_effnet.camera.threads.queues import BoundedQueue, Clock
from edge_effnet.camera.threads.reader import Reader
from edge_effnet.errors import DataError, EdgeEffnetError
from edge_effnet.system.native_threads import NativeThread

MOST_HANGING = 2
"""Readers that hang in a driver while another one is tried; each holds a thread and a device."""


def frame_queue(pace: Pace) -> BoundedQueue[Frame]:
    """From capture to a model: every frame in order, or the newest one alone."""
    return BoundedQueue(3 if pace.every_frame else 1, wait=pace.every_frame)


class Capture:
    """Fills a queue with frames until the source ends or ``stop`` is set.

    Args:
        source: open; later ones come from ``reopen``.
        say: called with what the user should know, from this module's threads.
        wanted: whether the next frame of a live source is needed; else it is passed over
            undecoded.

    Attributes:
        captured: frames the source gave or would have given, had we been fast enough.
        skipped: of those, the ones passed over before decoding, because a file's clock ran on or
            none was wanted.
        broken: frames that arrived but could not be decoded.
        attempts: how often it was tried to open it again while no reader hung in its driver.
        reopened: how often the source came back, with a frame.
        away: whether it stopped giving frames and has not come back.
        error: what ended the capture, if it was an error.
    """

    def __init__(
        self,
        source: FrameSource,
        reopen: Callable[[], FrameSource],
        frames: BoundedQueue[Frame],
        pace: Pace,
        say: Callable[[str], None],
        *,
        clock: Clock = time.monotonic,
        wait: Callable[[float], object] | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.captured = self.skipped = self.broken = self.attempts = self.reopened = 0
        self.error: BaseException | None = None
        self.stop = threading.Event()
        self._source, self._reopen, self._frames = source, reopen, frames
        self._pace, self._say, self._clock = pace, say, clock
        self._wait, self._wanted = wait or self.stop.wait, wanted
        self._began_s = clock()
        self._hanging: list[Reader] = []
        self._shape: tuple[int, ...] | None = None
        self.away, self._last_said, self._pause_s = False, "", pace.first_pause_s
        self._thread = NativeThread(self.run, "capture")

    def start(self) -> None:
        self._thread.start()

    def end(self, timeout_s: float = 2.0) -> None:
        """Stop; a reader that hangs in a driver is left behind."""
        self.stop.set()
        self._frames.close(discard=True)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def run(self) -> None:
        """Capture in the caller's thread."""
        try:
            if self._source.live:
                self._run_live()
            else:
                self._run_file()
        except BaseException as error:  # the caller's thread raises it
            self.error = error
        finally:
            if not self._wanted() and self._frames.take(0) is not None:
                self._frames.drop()  # nobody waits minutes for the answer to a file's last frame
            self._frames.close()

    # A file or folder

    def _run_file(self) -> None:
        while not self.stop.is_set():
            before = self.captured
            try:
                for captured in self._file_frames():
                    self._frames.put(captured)
                    if self.stop.is_set():
                        break
            finally:
                self._source.close()
            if self.captured == before:
                raise DataError(
                    f"{self._source.name} holds no readable frame",
                    found=f"{self.broken} broken ones" if self.broken else "none",
                    fix="check the file with another player",
                )
            if not self._pace.loop or self.stop.is_set():
                return
            self._source = self._reopen()

    def _file_frames(self) -> Iterator[Frame]:
        """The frames of one pass, each when it is due."""
        source, began_s = self._source, self._clock()
        paced = source.fps is not None and not self._pace.every_frame
        rate = source.fps or 1.0
        first_time_s = self.captured / rate
        for position in self._positions(began_s, rate, paced):
            due_s = began_s + position / rate
            if paced and (early_s := due_s - self._clock()) > 0:
                self._wait(early_s)
            captured_s = due_s if paced else self._clock()
            try:
                captured = source.read()
            except SourceEnded:
                return
            if captured is None:
                self.broken += 1
                continue
            number = self.captured
            self.captured += 1
            self._notice_size(captured.pixels.shape)
            time_s = first_time_s + position / rate
            yield Frame(captured.pixels, number, position, time_s, captured_s, captured.path)

    def _positions(self, began_s: float, rate: float, paced: bool) -> Iterator[int]:
        """0, 1, 2 …; without those whose time passed while we were busy: a camera does not
        wait either."""
        position = 0
        while not self.stop.is_set():
            late = int((self._clock() - began_s) * rate + 1e-6) - position if paced else 0
            for _ in range(late):
                try:
                    self._source.skip()
                except SourceEnded:
                    return
                position += 1
                self.captured += 1
                self.skipped += 1
            yield position
            position += 1

    # A camera or stream

    def _run_live(self) -> None:
        while not self.stop.is_set():
            reader = Reader(
                self._source, self._take_live, self._pass_live, self._wanted, self._clock
            )
            reason = self._watch(reader)
            if reason is None:
                return
            if not self.captured:  # it never worked: that is no camera that went away
                raise DataError(
                    f"{self._source.name} gives no frames",
                    found=reason,
                    fix="look at it with another program, and check what --source names",
                )
            self.away = True
            self._say_once(f"{self._source.name}: {reason}; trying to open it again")
            if not self._bring_back():
                return
        self._source.close()

    def _say_once(self, line: str) -> None:
        """Say it unless it was the last thing said since a frame came."""
        if line != self._last_said:
            self._last_said = line
            self._say(line)

    def _watch(self, reader: Reader) -> str | None:
        """Until the reader ends or stalls; why, or None when we are to stop."""
        reader.start()
        while not self.stop.is_set():
            if reader.ended.wait(0.1):
                if reader.error is not None:
                    raise reader.error
                return reader.reason
            if self._clock() - reader.alive_s > self._pace.stall_s:
                reader.abandon()
                self._hanging.append(reader)
                return f"no frame for {self._pace.stall_s:.0f} s"
        reader.abandon()
        reader.ended.wait(1.0)
        return None

    def _bring_back(self) -> bool:
        while not self.stop.is_set():
            self._wait(self._pause_s)
            if self.stop.is_set():
                return False
            self._pause_s = min(2 * self._pause_s, self._pace.longest_pause_s)
            self._hanging = [reader for reader in self._hanging if not reader.ended.is_set()]
            if len(self._hanging) >= MOST_HANGING:
                self._say_once(f"{self._source.name} hangs in its driver; waiting for it")
                continue
            try:
                self._source = self._reopen()
            except EdgeEffnetError as error:
                self._say_once(f"{_summary(error)}; trying on")
            else:
                return True
            finally:
                self.attempts += not self._hanging
        return False

    def _take_live(self, captured: CapturedFrame | None) -> None:
        if self.stop.is_set():  # nobody takes it any more
            return
        if captured is None:
            self.broken += 1
            return
        now, number = self._clock(), self.captured
        self._count_live()
        self._notice_size(captured.pixels.shape)
        self._frames.put(
            Frame(captured.pixels, number, number, now - self._began_s, now, captured.path)
        )

    def _pass_live(self) -> None:
        self.skipped += 1
        self._count_live()

    def _count_live(self) -> None:
        self.captured += 1
        if self.away:
            self.away, self._last_said, self._pause_s = False, "", self._pace.first_pause_s
            self.reopened += 1
            self._say(f"{self._source.name} is back")

    def _notice_size(self, shape: tuple[int, ...]) -> None:
        moving = self._source.live or self._source.fps  # images in a folder differ anyway
        if moving and self._shape is not None and shape[:2] != self._shape[:2]:
            rows, columns = self._shape[:2]
            self._say(f"the frame's size changed: {columns}x{rows} to {shape[1]}x{shape[0]}")
        self._shape = shape


def _summary(error: EdgeEffnetError) -> str:
    """What an error says, without the remedy: for a notice while it is tried again."""
    return error.what + (f" ({error.found})" if error.found else "")
