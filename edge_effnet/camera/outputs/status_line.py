"""The status line: one that is rewritten on a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
import time

import click

from edge_effnet.camera.threads.queues import Clock
from edge_effnet.printable import printable

TERMINAL_EVERY_S = 0.2
PLAIN_EVERY_S = 10.0
SEPARATOR = " | "


class StatusLine:
    """Writes to standard error. Notes stand on lines of their own.

    Args:
        quiet: notes only.
        terminal: by default, whether standard error is one.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        terminal: bool | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._quiet, self._clock = quiet, clock
        self._every_s = TERMINAL_EVERY_S if self._terminal else PLAIN_EVERY_S
        self._due_s = clock() + (0 if self._terminal else 2.0)
        self._shown = False

    def show(self, text: str) -> None:
        now = self._clock()
        if self._quiet or now < self._due_s:
            return
        self._due_s = now + self._every_s
        if not self._terminal:
            click.echo(printable(text), err=True)
            return
        shown = _that_fits(printable(text), shutil.get_terminal_size().columns - 1)
        click.echo("\r\x1b[2K" + shown, err=True, nl=False, color=True)
        self._shown = True

    def say(self, note: str) -> None:
        self.clear()
        click.echo(f"note: {printable(note)}", err=True)

    def clear(self) -> None:
        """Leave the cursor on an empty line."""
        if self._shown:
            click.echo("\r\x1b[2K", err=True, nl=False, color=True)
            self._shown = False


def _that_fits(text: str, columns: int) -> str:
    """As many whole parts of a line as fit, at least the beginning of the first."""
    while len(text) > columns and SEPARATOR in text:
        text = text.rpartition(SEPARATOR)[0]
    return text[:columns]
