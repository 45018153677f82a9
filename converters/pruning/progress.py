"""Progress of a pruning run on stderr, and its polite end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from edge_effnet.ui.console import print_note

if TYPE_CHECKING:
    from edge_effnet.training.epochs import Callbacks


@contextmanager
def watching() -> Iterator[Callbacks]:
    """Progress on stderr; Ctrl-C ends a run after the step in hand, of whatever it does."""
    from edge_effnet.training.epochs import Callbacks, Interrupted
    from edge_effnet.ui.progress import stages
    from edge_effnet.ui.stop import graceful_stop

    with graceful_stop() as stop, stages() as stage:
        advance: dict[int, Callable[[int], None]] = {}

        def stoppable(name: str, steps: int | None) -> Callable[[int], None]:
            shown = stage(name, steps)

            def counted(done: int) -> None:
                shown(done)
                if stop():
                    raise Interrupted

            return counted

        def on_step(done: int, total: int) -> None:
            if done == 1 or total not in advance:
                advance[total] = stage("fine-tuning", total)
            advance[total](done)

        yield Callbacks(
            say=print_note,
            stage=stoppable,
            on_step=on_step,  # not stoppable: the loop stores its state first
            on_epoch=lambda row: click.echo(f"  epoch {row.epoch}: {row.right_text}", err=True),
            stop=stop,
        )
