"""Options and outputs that mean the same in every command."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from edge_effnet.errors import UsageProblem
from edge_effnet.files import write_atomically

_Function = TypeVar("_Function", bound=Callable[..., Any])

LEAST_AMOUNT = 1000  # of multiply-adds, parameters or bytes: less is a number without its unit
_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def console(*, stderr: bool = False) -> Console:
    """The console for tables (stdout) or progress (stderr).

    A pipe has no width of its own: 100 columns keep tables whole there, and a sentence stays on
    one line, so that the paths and commands in it can be searched for and copied. Brackets and
    colons in paths and labels are printed as they are, not read as markup or emoji.
    """
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr,
        width=None if terminal else 100,
        soft_wrap=not terminal,
        markup=False,
        emoji=False,
        highlight=False,
    )


def json_option(function: _Function) -> _Function:
    """``--json FILE|-``: the result for machines; ``-`` is standard output."""
    option = click.option(
        "--json", "json_to", metavar="FILE|-", help="Write JSON to FILE, or to stdout with -."
    )
    return option(function)


def force_option(function: _Function) -> _Function:
    """``--force``: replace files that exist."""
    return click.option("--force", is_flag=True, help="Replace files that already exist.")(function)


def write_json(value: Any, destination: str, *, overwrite: bool) -> None:
    """Write a result to a file, or to stdout for ``-``."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    if destination == "-":
        click.echo(text)
    else:
        write_atomically(Path(destination), (text + "\n").encode(), overwrite=overwrite)


def parse_amount(text: str, option: str) -> float:
    """Read a number with a unit: ``200M``, ``4.5MB``, ``512KiB``, ``3e8``.

    Raises:
        UsageProblem: no number, an unknown unit, or not positive.
    """
    # A bare B is refused: it is a byte to some, a billion to others.
    match = re.fullmatch(r"([0-9.]+(?:e[0-9]+)?)\s*(?:([kmg]i?)b?)?", text.strip().lower())
    try:
        value = float(match[1]) * _UNITS[match[2] or ""] if match else 0.0
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        expected = "a positive number, with K, M, G or KB, MB, MiB if you like"
        raise not_understood(option, text, expected=expected, example="4.5M")
    return value


def not_understood(option: str, text: str, *, expected: str, example: str) -> UsageProblem:
    """The error for an amount that cannot be read."""
    return UsageProblem(
        f"{option} is not understood",
        found=repr(text),
        expected=expected,
        fix=f"for example {option} {example}",
    )


def millions(value: float) -> str:
    """``5330571`` as ``5.33 M``, ``37745933856`` as ``37.7 G``."""
    if value >= 1e10:
        return f"{value / 1e9:.1f} G"
    return f"{value / 1e6:.2f} M" if value < 1e8 else f"{value / 1e6:,.0f} M"


def megabytes(value: float) -> str:
    """Bytes as decimal megabytes, the unit of downloads and memory cards."""
    return f"{value / 1e6:.2f} MB" if value < 1e8 else f"{value / 1e6:,.0f} MB"
