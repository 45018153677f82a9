"""Ctrl-C and kills: what a long run does before it ends."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

SAME_REQUEST_S = 0.5

Handler = Callable[[int, Any], Any]


def merge_repeats(handler: Handler) -> Handler:
    """A signal handler to which a signal that follows within half a second is the same request:
    GNU ``timeout`` sends each to the process and to its group."""
    before: dict[int, float] = {}

    def merged(number: int, frame: Any) -> None:
        now = time.monotonic()
        if now - before.get(number, -SAME_REQUEST_S) >= SAME_REQUEST_S:
            before[number] = now
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
        click.echo("stopping after this step …", err=True)

    handler = merge_repeats(note)
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
