"""Results for machines, in a file or on stdout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from edge_effnet.errors import OutputError
from edge_effnet.files.write import refuse_existing, write_atomically


def write_json(value: Any, destination: str, *, overwrite: bool) -> None:
    """Write a result to a file, or to stdout for ``-``."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    if destination == "-":
        click.echo(text)
    else:
        write_atomically(Path(destination), (text + "\n").encode(), overwrite=overwrite)


def refuse_bad_output(json_to: str | None, *, overwrite: bool) -> None:
    """Refuse an output that cannot be written before minutes are spent on its content.

    Raises:
        OutputError: the file exists and ``overwrite`` is off, or it is a folder.
    """
    if json_to is None or json_to == "-":
        return
    path = Path(json_to)
    if path.is_dir():
        raise OutputError(f"{path} is a folder", expected="a file name", fix="add a file name")
    refuse_existing(path, overwrite=overwrite)
