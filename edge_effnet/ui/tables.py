"""What the tables of several commands share: columns, names, warnings, images left out.

Everything fits 80 columns, and a network of 1000 classes still gives a page: the worst
classes, the commonest mistakes, the first flipped images, and how many more there are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_effnet.plurals import counted

if TYPE_CHECKING:
    from edge_effnet.metrics import Skipped

ALL_CLASSES_UP_TO = 20
ROWS = 10
NAME_CELLS = 22


def print_skipped(
    out: Console, skipped: Sequence[Skipped], remedy: str = "; --strict refuses them"
) -> None:
    """Name the images that could not be read."""
    if not skipped:
        return
    out.print()
    say(out, f"skipped: {counted(len(skipped), 'unreadable image')}{remedy}", "yellow")
    for image in skipped[:3]:
        say(out, f"  {image.reason}")
    if len(skipped) > 3:
        say(out, f"  and {len(skipped) - 3} more; --json lists them all", "dim")


def print_losses(out: Console, losses: Sequence[str]) -> None:
    """Print what is proven to have been lost, before anything else."""
    for line in losses:
        say(out, f"warning: {line}", "bold red")
    if losses:
        out.print()


def print_warnings(out: Console, warnings: Sequence[str]) -> None:
    if warnings:
        out.print()
    for line in warnings:
        say(out, f"warning: {line}", "yellow")


def grid() -> Table:
    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(style="dim")
    return grid


def table(*headings: str, words: Collection[int] = ()) -> Table:
    """A table whose first column and columns ``words`` hold words, the others numbers."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for index, heading in enumerate(headings):
        if index == 0 or index in words:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    return table


def shown_of(classes: Sequence[int]) -> Sequence[int]:
    """The first classes of a long list, all of a short one."""
    return classes if len(classes) <= ALL_CLASSES_UP_TO else classes[:ROWS]


def print_rows(out: Console, rows: Table, rest: str = "") -> None:
    """A table behind an empty line, and a line on what it leaves out."""
    out.print()
    out.print(rows)
    if rest:
        say(out, f"and {rest}", "dim")


def say(out: Console, line: str, style: str = "") -> None:
    out.print(Text(line, style=style))


def short_names(labels: Sequence[str], cells: int = NAME_CELLS) -> list[str]:
    """Labels for narrow columns: the first of ``tench, Tinca tinca`` where that is unique."""
    heads = [label.split(",")[0].strip() for label in labels]
    seen = Counter(heads)
    names = [
        head if seen[head] == 1 else f"{label} ({index})"
        for index, (head, label) in enumerate(zip(heads, labels, strict=True))
    ]
    return [name if len(name) <= cells else name[: cells - 1] + "…" for name in names]


def name_text(text: str) -> Text:
    return Text(text)  # a label may hold what rich would read as markup


def share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"
