"""Work over a connection that Ctrl-C and a kill end in good order, and soon.

``asyncio.run`` alone would have Ctrl-C raised wherever Python is, the connection's own code
included, or cancel that together with the work: what is to be cleaned up over the connection would
then wait for answers that nobody receives.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from edge_effnet.ui.stop import merge_repeats

STOP_SECONDS = 5.0
"""What the work has to clean up; then its connections are cut."""

_Answer = TypeVar("_Answer")


@dataclass
class _Run:
    """Whether it was asked to end, and how its connections are cut."""

    stopping: bool = False
    cuts: set[Callable[[], None]] = field(default_factory=set)


_run: ContextVar[_Run] = ContextVar("run")


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, and what holds now, in words."""


def run_connected(work: Coroutine[Any, Any, _Answer]) -> _Answer:
    """Run it to its end. Ctrl-C or a kill cancels it, and nothing else; a second one, or
    ``STOP_SECONDS``, cuts its connections.

    Raises:
        Interrupted: the work said what holds now.
        KeyboardInterrupt: it was cancelled and said nothing.
    """
    try:
        outcome = asyncio.run(_stoppable(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    if isinstance(outcome, Interrupted):
        raise outcome
    return outcome


def is_stopping() -> bool:
    """Whether the running work was asked to end."""
    return _run.get(_Run()).stopping


@contextmanager
def cut_at_stop(cut: Callable[[], None]) -> Iterator[None]:
    """Have a connection cut where the work that was stopped takes too long to clean up."""
    cuts = _run.get(_Run()).cuts
    cuts.add(cut)
    try:
        yield
    finally:
        cuts.discard(cut)


async def _stoppable(work: Coroutine[Any, Any, _Answer]) -> _Answer | Interrupted:
    loop, task, run = asyncio.get_running_loop(), asyncio.current_task(), _Run()
    _run.set(run)

    def stop() -> None:
        if run.stopping or task is None:
            cut_all()
        else:
            run.stopping = True
            loop.call_later(STOP_SECONDS, cut_all)
            task.cancel()

    def cut_all() -> None:
        for cut in tuple(run.cuts):
            cut()

    with _signals_call(loop, stop):
        try:
            return await work
        except Interrupted as interrupted:  # raised here, it would end the loop, not this task
            return interrupted


@contextmanager
def _signals_call(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting = False

    def called() -> None:
        nonlocal waiting
        waiting = False
        stop()

    def handle(number: int, frame: Any) -> None:
        nonlocal waiting
        if waiting:  # the loop does not come to it
            signal.default_int_handler(number, frame)
        waiting = True
        loop.call_soon_threadsafe(called)

    merged, before = merge_repeats(handle), dict[int, Any]()
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in background jobs of a shell
            before[number] = signal.signal(number, merged)
    try:
        yield
    finally:
        for one, earlier in before.items():
            signal.signal(one, earlier)
