"""Results for machines, in a file or on stdout; and what a command must not write over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from edge_effnet.errors import OutputError
from edge_effnet.files.outputs import claimed
from edge_effnet.files.write import json_bytes, write_atomically
from edge_effnet.ui.missing import shown_name
from edge_effnet.ui.streams import stdout_goes_nowhere

Named = str | Path | Sequence[Path] | None


def write_json(value: Any, destination: str, *, overwrite: bool) -> None:
    """Write a result to a file, or to stdout for ``-``."""
    if destination == "-":
        click.echo(json_bytes(value), nl=False)  # UTF-8, whatever the terminal's encoding
    else:
        write_atomically(Path(destination), json_bytes(value), overwrite=overwrite)


def claim_outputs(
    outputs: Mapping[str, Named],
    *,
    overwrite: bool,
    shared: Sequence[str] = (),
    updated: Sequence[str] = (),
    besides: Mapping[Path, Sequence[str]] | None = None,
) -> None:
    """Look at all outputs of the command that runs, before any is opened and before minutes are
    spent on their content; keep other processes from them until the command ends.

    Args:
        outputs: by option. All other options and arguments of the command that name files are
            its inputs. None and ``-``, standard output, are no files.
        overwrite: whether ``--force`` was given.
        shared: options of ``outputs`` whose files are added to.
        updated, besides: see ``claimed``.

    Raises:
        UsageProblem, OutputError: see ``claimed``.
    """
    context = click.get_current_context()
    for flag, value in outputs.items():
        if str(value) == "-" and stdout_goes_nowhere():
            raise OutputError(
                f"{flag} - cannot be written",
                found="a standard output that was closed (>&-)",
                fix=f"send it somewhere, or give {flag} a file",
            )
    files = {flag: list(_paths(value)) for flag, value in outputs.items()}
    inputs = {
        flag: path
        for parameter in context.command.params
        if (flag := shown_name(parameter)) not in outputs
        for path in _paths(context.params.get(str(parameter.name)))
    }
    context.with_resource(
        claimed(files, inputs, overwrite=overwrite, shared=shared, updated=updated, besides=besides)
    )
    context.with_resource(_none_missing([path for paths in files.values() for path in paths]))


@contextmanager
def _none_missing(files: Sequence[Path]) -> Iterator[None]:
    """Where nobody reads standard output any more, the command ends: say what was not written.

    Raises:
        OutputError: an output is as it was before.
    """
    before = list(map(_state, files))
    try:
        yield
    except (BrokenPipeError, SystemExit) as gone:  # the second from rich
        if isinstance(gone, SystemExit) and not isinstance(gone.__context__, BrokenPipeError):
            raise
        for path, was in zip(files, before, strict=True):
            if _state(path) == was:
                raise OutputError(
                    f"{path} was not written",
                    found="nobody who reads the rest of what is printed",
                    fix="send that to a file or to /dev/null",
                ) from gone
        raise


def _state(path: Path) -> tuple[int, int] | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_mtime_ns


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, str | Path):
        if value and str(value) != "-" and "\0" not in str(value):
            yield Path(value)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _paths(one)
