"""Progress on stderr: a bar for people, one line for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_of(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a job is and the time left; yields the function to call with (done, total).

    On a terminal a bar, gone when the job ends. Elsewhere nothing until the end, then one line
    without control characters; nothing at all when the job fails.
    """
    began = time.monotonic()
    last = (0, 0)
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeLeft(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)

            def show(done: int, total: int) -> None:
                nonlocal last
                last = (done, total)
                bar.update(task, completed=done, total=total)

            yield show
    else:

        def count(done: int, total: int) -> None:
            nonlocal last
            last = (done, total)

        yield count
    if last[1]:
        seconds = time.monotonic() - began
        click.echo(f"{what}: {last[0]} images in {seconds:.1f} s", err=True)


def say(line: str) -> None:
    """A remark on stderr, beside whatever is being made."""
    click.echo(f"note: {line}", err=True)
