"""Reading a camera or stream in a thread that may hang in a driver."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count

from edge_effnet.camera.sources.base import CapturedFrame, FrameSource, SourceEnded, SourceLost
from edge_effnet.camera.threads.queues import Clock
from edge_effnet.system.native_threads import NativeThread

BROKEN_IN_A_ROW = 25


class Reader:
    """Reads one live source in a thread of its own, which can hang in a driver for ever."""

    _numbers = count(1)

    def __init__(
        self,
        source: FrameSource,
        take: Callable[[CapturedFrame | None], None],
        passed: Callable[[], None],
        wanted: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self.ended = threading.Event()
        self.reason = "it ended"
        self.error: BaseException | None = None
        self.alive_s = clock()
        self._source, self._take, self._clock = source, take, clock
        self._passed, self._wanted = passed, wanted
        self._abandoned = threading.Event()
        self._thread = NativeThread(self._run, f"reader {next(self._numbers)}")

    def start(self) -> None:
        self._thread.start()

    def abandon(self) -> None:
        """What it still reads goes nowhere; it closes its source when the driver lets it."""
        self._abandoned.set()
        self._source.interrupt()

    def _run(self) -> None:
        broken = 0
        try:
            while not self._abandoned.is_set():
                if not self._wanted():
                    self._source.skip()
                    if not self._abandoned.is_set():
                        self.alive_s = self._clock()
                        self._passed()
                    continue
                captured = self._source.read()
                if self._abandoned.is_set():
                    return
                broken = 0 if captured is not None else broken + 1
                if captured is not None:
                    self.alive_s = self._clock()
                self._take(captured)
                if broken >= BROKEN_IN_A_ROW:
                    raise SourceLost(f"{broken} broken frames in a row")
        except (SourceLost, SourceEnded) as lost:
            self.reason = str(lost)
        except BaseException as error:
            self.error = error
        finally:
            self._source.close()
            self.ended.set()
