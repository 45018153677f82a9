"""Commands that are printed to be copied: they run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote

from edge_effnet.errors import TO_FIX
from edge_effnet.plugins import COMMANDS

NAME = "edge-effnet"
PAGE = "127.0.0.1:8080"
_NAMED = re.compile(rf"(?<![\w/.'-]){NAME} (?=(?:{'|'.join(COMMANDS)})\b)")
_MEANT = re.compile(rf"(?<=did you mean: ){_NAMED.pattern}")


def own_command() -> str:
    """``edge-effnet`` where the shell finds this installation by its name, else its path."""
    called = Path(sys.argv[0])
    if called.name != NAME or not called.is_file():  # python -m, or another program
        return NAME
    found = shutil.which(NAME)
    if found is not None and Path(found).resolve() == called.resolve():
        return NAME
    path = called.absolute()
    with_folder = os.path.relpath(path)
    return quote(with_folder if len(with_folder) < len(str(path)) else str(path))


def with_own_command(line: str) -> str:
    """A line in which proposed commands run from the shell that called: those of a remedy, and
    those that a user is told to have meant. What names a command only stays."""
    program = own_command()
    what, sign, fix = line.partition(TO_FIX)
    return (
        _MEANT.sub(lambda _: f"{program} ", what) + sign + _NAMED.sub(lambda _: f"{program} ", fix)
    )


def commands_as_called(text: str) -> str:
    """The same of a text that is all proposal."""
    program = own_command()
    return _NAMED.sub(lambda _: f"{program} ", text)


def example(photos: Iterable[Path]) -> str:
    """One of the user's photos that is there, for a command line."""
    return quote(str(next((path for path in photos if path.is_file()), "photo.jpg")))


def camera_command(program: str, models: Sequence[str]) -> str:
    """The camera with its page.

    Args:
        models: the one that runs, and maybe its float file.
    """
    compare = "".join(f" --compare {quote(path)}" for path in models[1:])
    return f"{program} camera --model {quote(models[0])}{compare} --serve {PAGE}"


def over_ssh(ssh: str, command: str) -> str:
    """A command on another machine, whose page comes here.

    Args:
        ssh: with its options and the address, ``ssh -p 2222 anna@pi4``.
    """
    port = PAGE.rpartition(":")[2]
    return f"{ssh.replace('ssh', f'ssh -t -L {port}:{PAGE}', 1)} {quote(command)}"
