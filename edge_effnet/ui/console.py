"""Where commands print, and how amounts are written."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from edge_effnet.printable import printable


class PrintableConsole(Console):
    """Writes names and labels of others as ``printable`` shows them; rich's own escape sequences
    are no text and stay."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """What is written, piece by piece."""
        for segment in super().render(renderable, options):
            if segment.control or (segment.text.isascii() and segment.text.isprintable()):
                yield segment
            else:
                text = "\n".join(map(printable, segment.text.split("\n")))
                yield Segment(text, segment.style)


def echo(line: str, *, err: bool = False) -> None:
    """Write one line, with names and labels of others as ``printable`` shows them."""
    click.echo(printable(line), err=err)


def console(*, stderr: bool = False) -> Console:
    """The console for tables (stdout) or progress (stderr).

    A pipe has no width of its own: 100 columns keep tables whole there, and a sentence stays on
    one line, so that the paths and commands in it can be searched for and copied. Brackets and
    colons in paths and labels are printed as they are, not read as markup or emoji.
    """
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return PrintableConsole(
        stderr=stderr,
        width=None if terminal else 100,
        soft_wrap=not terminal,
        markup=False,
        emoji=False,
        highlight=False,
    )


def print_note(line: str | None) -> None:
    """A remark on stderr, where there is one."""
    if line:
        echo(f"note: {line}", err=True)


def millions(value: float) -> str:
    """``5330571`` as ``5.33 M``, ``37745933856`` as ``37.7 G``."""
    if value >= 1e10:
        return f"{value / 1e9:.1f} G"
    return f"{value / 1e6:.2f} M" if value < 1e8 else f"{value / 1e6:,.0f} M"


def megabytes(value: float) -> str:
    """Bytes as decimal megabytes, the unit of downloads and memory cards."""
    if value < 1e8:
        return f"{value / 1e6:.2f} MB" if value >= 1e4 else f"{value / 1e6:.2g} MB"
    return f"{value / 1e6:,.0f} MB"
