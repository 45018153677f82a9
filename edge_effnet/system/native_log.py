"""Keep what native libraries print off the user's terminal.

TensorFlow, its exporter and the TFLite runtime write to file descriptors 1 and 2 from C++,
past ``sys.stderr`` and every Python logger: pages about CPU features and missing GPUs, "INFO:
Created TensorFlow Lite XNNPACK delegate". What goes wrong there also raises.
EDGE_EFFNET_NATIVE_LOG=1 shows all of it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Descriptors belong to the whole process: two threads must not swap them at once.
_LOCK = threading.RLock()


@contextmanager
def native_output_hidden(*, stdout: bool = False) -> Iterator[None]:
    """Send file descriptor 2 (and 1, if ``stdout``) nowhere until the block ends."""
    if os.environ.get("EDGE_EFFNET_NATIVE_LOG"):
        yield
        return
    with _LOCK:
        descriptors = [number for number in ((1, 2) if stdout else (2,)) if _is_open(number)]
        _flush()
        saved = [os.dup(descriptor) for descriptor in descriptors]
        null = os.open(os.devnull, os.O_WRONLY)
        for descriptor in descriptors:
            os.dup2(null, descriptor)
        os.close(null)
        try:
            yield
        finally:
            _flush()
            for descriptor, copy in zip(descriptors, saved, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as in a program without a console
            stream.flush()
