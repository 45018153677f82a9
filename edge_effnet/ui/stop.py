"""Ctrl-C and kills: what a long run does before it ends."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

SAME_REQUEST_S = 0.5

Handler = Callable[[int, Any], Any]


def merge_repeats(handler: Handler) -> Handler:
    """A handler for several signals, to which one that follows within half a second is the same
    request: GNU ``timeout`` sends each to the process and to its group."""
    before = -math.inf

    def merged(number: int, frame: Any) -> None:
        nonlocal before
        now = time.monotonic()
        if now - before >= SAME_REQUEST_S:
            before = now
            handler(number, frame)

    return merged


@contextmanager
def graceful_stop() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and a kill end the run after the step in hand, with its state stored; a second
    Ctrl-C ends it at once. Yields whether one has come."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def note(number: int, frame: Any) -> None:
        if asked.is_set():
            signal.default_int_handler(number, frame)
        asked.set()
        with suppress(OSError, RuntimeError):  # nobody reads, or what it interrupts was writing
            click.echo("stopping after this step …", err=True)

    handler = merge_repeats(note)
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
