"""What click finds wrong with a command line, as the one line of this project. Light: every
command comes through here."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.spelling import did_you_mean

_EXTRA = re.compile(r"Got unexpected extra arguments? \((.*)\)$", re.DOTALL)


def in_one_line(error: click.UsageError) -> UsageProblem:
    """The same in this project's form, with what was meant where that can be told."""
    context = error.ctx or click.get_current_context(silent=True)
    command = context.command_path if context else "edge-effnet"
    if isinstance(error, click.NoSuchOption) and context is not None:
        name = _as_typed(error.option_name)
        return UsageProblem(
            f"{command} has no option {name}{did_you_mean(name, _options(context))}",
            fix=f"{command} --help lists the options",
        )
    message = error.format_message().rstrip(".")
    extra = _EXTRA.match(message)
    if extra and context is not None:
        return one_too_many(context, extra[1].split(" "))
    if context is None:
        return UsageProblem(
            f"{message[:1].lower()}{message[1:]}", fix="--help of the command says what it takes"
        )
    return UsageProblem(
        f"{command}: {message[:1].lower()}{message[1:]}", fix=f"{command} --help says what it takes"
    )


def one_too_many(context: click.Context, words: Sequence[str]) -> UsageProblem:
    """For arguments that nothing takes: often the rest of a path with a space.

    Args:
        words: at least one.
    """
    command, path = context.command_path, split_path(given_paths(context), words)
    return UsageProblem(
        f"{command} takes no further argument" + (f"; did you mean {quote(path)}?" if path else ""),
        found=" ".join(map(repr, words)),
        fix=f"{'' if path else 'leave it out, or '}put quotes around a path with a space",
    )


def given_paths(context: click.Context) -> Iterator[str]:
    """Every value that the command was given and that may be a file or a folder."""
    for value in context.params.values():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str | Path):
                yield str(one)


def split_path(begun: Iterator[str] | Sequence[str], words: Sequence[str]) -> str | None:
    """A path with spaces that is there and that the shell took apart; None where there is none.

    Args:
        begun: what may be its first part.
        words: what stands behind it.
    """
    for first in begun:
        for count in range(1, len(words) + 1):
            whole = " ".join((first, *words[:count]))
            if Path(whole).exists():
                return whole
    return None


def _options(context: click.Context) -> list[str]:
    return [
        flag
        for param in context.command.get_params(context)
        if isinstance(param, click.Option) and not param.hidden
        for flag in param.opts
        if flag.startswith("--")
    ]


def _as_typed(name: str) -> str:
    """The whole word where click, which takes ``-for`` for ``-f -o -r``, names its beginning."""
    if name.startswith("--"):
        return name
    return next((word for word in sys.argv[1:] if word.startswith(name)), name)
