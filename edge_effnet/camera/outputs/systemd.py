"""The systemd unit for a camera that runs from boot."""

from __future__ import annotations

import getpass
import shlex
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path


def systemd_unit(arguments: Sequence[str]) -> str:
    """The unit file for a command line; two lines at its head say how to install it.

    Args:
        arguments: of ``edge-effnet``, with ``camera`` first and without ``--systemd``.
    """
    command = [str(Path(sys.executable).absolute()), "-m", "edge_effnet", *arguments]
    asset = resources.files("edge_effnet").joinpath("assets/camera/edge-effnet-camera.service")
    unit = asset.read_text(encoding="utf-8")
    values = {
        "USER": getpass.getuser(),
        "FOLDER": str(Path.cwd()).replace("%", "%%"),
        "COMMAND": " ".join(map(_quoted, command)),
        "ARGUMENTS": shlex.join(arguments[1:]),
    }
    for name, value in values.items():
        unit = unit.replace(f"@{name}@", value)
    return unit


def _quoted(word: str) -> str:
    """A word as systemd.syntax(7) reads it: double quotes, and % and $ doubled."""
    word = word.replace("%", "%%").replace("$", "$$")
    plain = word and all(sign.isalnum() or sign in "-_./:=,%$+@" for sign in word)
    return word if plain else '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
