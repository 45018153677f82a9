"""Opening a camera in a thread of its own, so that Ctrl-C and a kill end the wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge_effnet.camera.sources.base import FrameSource
from edge_effnet.system.native_threads import NativeThread


def open_apart(open_it: Callable[[], FrameSource]) -> FrameSource:
    """What ``open_it`` gives or raises.

    Python handles a signal between two steps of the main thread, never within a driver or a name
    look-up, which can take minutes. Here the main thread only waits, and may stop waiting: a
    source that opens after that is closed again.
    """
    opening = _Opening(open_it)
    NativeThread(opening.run, "open").start()
    try:
        opening.done.wait()
    except BaseException:
        opening.give_up()
        raise
    if opening.source is None:
        assert opening.error is not None  # noqa: S101 (one of both is there)
        raise opening.error
    return opening.source


class _Opening:
    def __init__(self, open_it: Callable[[], FrameSource]) -> None:
        self.source: FrameSource | None = None
        self.error: BaseException | None = None
        self.done = threading.Event()
        self._open_it, self._lock, self._unwanted = open_it, threading.Lock(), False

    def run(self) -> None:
        try:
            source = self._open_it()
        except BaseException as error:  # the caller's thread raises it
            self.error = error
        else:
            with self._lock:
                self.source = source
                unwanted = self._unwanted
            if unwanted:
                source.close()
        finally:
            self.done.set()

    def give_up(self) -> None:
        with self._lock:
            self._unwanted = True
            source = self.source
        if source is not None:
            source.close()
