"""Progress on stderr: bars for people, one line a stage for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.progress import TimeRemainingColumn as TimeLeft

from edge_effnet.stages import Advance, OnProgress, StartStage
from edge_effnet.ui.console import console, echo


@contextmanager
def stages() -> Iterator[StartStage]:
    """Yields the function that starts a stage; one without known steps is done at its first
    call."""
    if not sys.stderr.isatty():
        yield _logged
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}", markup=False),
        BarColumn(24),
        MofNCompleteColumn(),
        Elapsed(),
        TimeLeft(),
    )
    with Progress(*columns, console=console(stderr=True)) as progress:

        def start(name: str, steps: int | None) -> Advance:
            task = progress.add_task(name, total=steps)

            def done(count: int) -> None:
                progress.update(task, completed=count, total=steps or count)

            return done

        yield start


@contextmanager
def progress_of(what: str) -> Iterator[OnProgress]:
    """A job of one stage; yields the function to call with (steps done, all steps)."""
    with stages() as start:
        stage: Advance | None = None

        def show(done: int, total: int) -> None:
            nonlocal stage
            stage = stage or start(what, total)
            stage(done)

        yield show


def _logged(name: str, steps: int | None) -> Advance:
    began = time.monotonic()

    def done(count: int) -> None:
        if steps is None or count >= steps:
            echo(f"{name}: {time.monotonic() - began:.1f} s", err=True)

    return done
