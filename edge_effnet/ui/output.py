"""Results for machines, in a file or on stdout; and what a command must not write over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from edge_effnet.files.outputs import claimed
from edge_effnet.files.write import dump_json, json_bytes, write_atomically

Named = str | Path | Sequence[Path] | None


def write_json(value: Any, destination: str, *, overwrite: bool) -> None:
    """Write a result to a file, or to stdout for ``-``."""
    if destination == "-":
        click.echo(dump_json(value))
    else:
        write_atomically(Path(destination), json_bytes(value), overwrite=overwrite)


def claim_outputs(
    outputs: Mapping[str, Named], *, overwrite: bool, shared: Sequence[str] = ()
) -> None:
    """Look at all outputs of the command that runs, before any is opened and before minutes are
    spent on their content; keep other processes from them until the command ends.

    Args:
        outputs: by option. All other options and arguments of the command that name files are
            its inputs. None and ``-``, standard output, are no files.
        overwrite: whether ``--force`` was given.
        shared: options of ``outputs`` whose files are added to.

    Raises:
        UsageProblem, OutputError: see ``claimed``.
    """
    context = click.get_current_context()
    files = {flag: list(_paths(value)) for flag, value in outputs.items()}
    inputs = {
        flag: path
        for parameter in context.command.params
        if (flag := _flag(parameter)) not in outputs
        for path in _paths(context.params.get(str(parameter.name)))
    }
    context.with_resource(claimed(files, inputs, overwrite=overwrite, shared=shared))


def _flag(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        return (parameter.metavar or str(parameter.name)).upper()
    return max(parameter.opts, key=len)


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, str | Path):
        if value and str(value) != "-" and "\0" not in str(value):
            yield Path(value)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _paths(one)
