"""How this program is called from the shell that called it: for the commands that it prints."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from shlex import quote

NAME = "edge-effnet"


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
