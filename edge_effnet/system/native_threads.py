"""Threads that may still be within a driver or decoder when the process ends.

Python ends a thread that comes back from native code while the interpreter is torn down, and C++
takes that for a fatal error: the process aborts after all its work was done.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress


class NativeThread(threading.Thread):
    """A daemon thread that calls OpenCV, FFmpeg, a driver or the TFLite runtime."""

    def __init__(self, target: Callable[[], object], name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)


def exit_process(code: int) -> None:
    """``sys.exit``; but where such a thread still runs, the process ends without tearing the
    interpreter down, after everything that is to be done at exit."""
    if not any(isinstance(thread, NativeThread) for thread in threading.enumerate()):
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads, or closed
            stream.flush()
    os._exit(code)
