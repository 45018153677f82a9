"""The systemd unit for a camera that runs from boot."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from edge_effnet.camera.sources.address import shown_address
from edge_effnet.errors import UsageProblem

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:=,%$+-]+")
_PLAIN_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


def systemd_unit(
    arguments: Sequence[str],
    addresses: Mapping[str, str | None] | None = None,
    *,
    pins: bool = False,
) -> str:
    """The unit file for a command line; two lines at its head say how to install it.

    Args:
        arguments: of ``edge-effnet``, with ``camera`` first and without ``--systemd``.
        addresses: of them, what ``--source`` and ``--mqtt`` say.
        pins: whether GPIO is used.

    Raises:
        UsageProblem: an argument or this folder's name has a character that no unit can hold, or
            an address may hold a password.
    """
    for option, address in (addresses or {}).items():
        _refuse_password(option, address)
    folder = str(Path.cwd())
    for word in (sys.executable, folder, *arguments):
        _refuse_control_characters(word)
    if folder.endswith(("\\", " ")):
        raise UsageProblem(
            "this folder's name cannot stand in a systemd unit",
            found=repr(folder),
            fix="call it from another folder",
        )
    user = getpass.getuser()
    program = str(Path(sys.executable).absolute())
    # Of the words behind the program, systemd reads $ as the beginning of a variable.
    words = [word.replace("$", "$$") for word in ("-m", "edge_effnet", *arguments)]
    values = {
        "USER": user if _PLAIN_USER.fullmatch(user) else str(os.getuid()),
        "GROUPS": "video gpio" if pins else "video",
        "FOLDER": folder.replace("%", "%%"),
        "COMMAND": " ".join(map(_quoted, [program, *words])),
        "ARGUMENTS": shlex.join(arguments[1:]),
    }
    asset = resources.files("edge_effnet").joinpath("assets/camera/edge-effnet-camera.service")
    unit = asset.read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], unit)  # once: values hold @ too


def _quoted(word: str) -> str:
    """A word as systemd.syntax(7) reads it: double quotes, in which a backslash escapes; ``%``
    is doubled, as everywhere in a unit."""
    word = word.replace("%", "%%")
    return (
        word
        if _PLAIN_WORD.fullmatch(word)
        else '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )


def _refuse_control_characters(word: str) -> None:
    """A line feed would begin another setting of the unit; a surrogate is no UTF-8."""
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in word):
        raise UsageProblem(
            "an argument cannot stand in a systemd unit",
            found=repr(word),
            expected="no line feeds or other control characters, and UTF-8",
            fix="rename the file, or put the command of --on into a script",
        )


def _refuse_password(option: str, address: str | None) -> None:
    """Everybody on a machine may read its units, and its process list."""
    if address is not None and shown_address(address) != address and not os.path.lexists(address):
        raise UsageProblem(
            f"{option} may hold a password, which everybody on this machine could read in the unit",
            found=shown_address(address),
            fix=f"write the address into a file, chmod 600 it, and give it with {option}-file",
        )
