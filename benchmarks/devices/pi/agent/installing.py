"""edge-effnet on this machine to stay: a virtual environment in the home folder."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from .cache import FILES, ROOT
from .environment import install_pinned, install_wheels, make_environment, pip, run, unimportable
from .lines import Refused, tell


def install(request: dict[str, Any]) -> dict[str, Any]:
    """Have an environment in ``request["folder"]``, below the home folder, that runs edge-effnet.

    Modules as ``environment`` wants them; ``request["wheel"]`` ([name, hash]) is edge-effnet
    itself. What is there stays, unless ``request["replace"]``. Answers with the version that is
    there now, whether it was installed in this call, and whether it is the one of the request.
    """
    with (ROOT / "environment.lock").open("a") as only:  # two hosts may come at a time
        fcntl.flock(only, fcntl.LOCK_EX)
        return _install(request, Path.home() / request["folder"])


def _install(request: dict[str, Any], venv: Path) -> dict[str, Any]:
    python = venv / "bin" / "python"
    _refuse_other(venv)
    _refuse_apt(request["from_apt"])
    if not python.exists():
        tell(say=f"making the environment {venv}")
        make_environment(venv)
    modules: dict[str, str] = request["modules"]
    absent = unimportable(str(python), modules)
    if absent:
        tell(say="installing " + ", ".join(modules[name] for name in absent))
        make_environment(venv)  # an interrupted call may have left it without pip
        if request["wheels"]:
            wanted = [modules[name] for name in absent]
            install_wheels(str(python), ROOT, request["wheels"], wanted)
        else:
            install_pinned(str(python), ROOT, request["pinned"])
        absent = unimportable(str(python), modules)
    if absent:
        raise Refused(
            f"the environment {venv} on the Pi is not complete",
            found=", ".join(absent) + " cannot be imported",
            fix=f"rename {venv} there, and the same command makes it anew",
        )
    name, key = request["wheel"]
    stamp, before = venv / "edge-effnet.sha256", _version(venv)
    known = stamp.read_text() if stamp.is_file() else ""
    if before is None or (request["replace"] and known != key):
        make_environment(venv)
        _install_wheel(str(python), name, key)
        stamp.write_text(key)
        return {"version": _version(venv) or "", "new": True, "same": True}
    same = known == key if known else before == name.split("-")[1]  # installed by hand
    return {"version": before, "new": False, "same": same}


def _refuse_other(venv: Path) -> None:
    if not os.path.lexists(venv) or (venv / "pyvenv.cfg").is_file():
        return
    if not venv.is_dir() or any(venv.iterdir()):
        raise Refused(
            f"{venv} on the Pi is no virtual environment, and edge-effnet belongs there",
            found="a folder with other things" if venv.is_dir() else "a file",
            fix="rename it there",
        )


def _refuse_apt(from_apt: dict[str, str]) -> None:
    absent = unimportable(sys.executable, list(from_apt)) if from_apt else []
    if absent:
        names = [from_apt[name] for name in absent]
        raise Refused(
            "the Pi lacks packages that have no wheels for 32-bit systems",
            found=", ".join(names) + " missing",
            fix="on the Pi: sudo apt install -y " + " ".join(names),
        )


def _install_wheel(python: str, name: str, key: str) -> None:
    tell(say=f"installing {name}")
    folder = ROOT / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.link(FILES / key, folder / name)
    options = ["--no-index", "--no-deps", "--force-reinstall"]
    run([*pip(python), *options, str(folder / name)], "look at its disk: df -h")


def _version(venv: Path) -> str | None:
    """Of the edge-effnet that is in it; pip removes the old description with the old files."""
    for about in venv.glob("lib/python3*/site-packages/edge_effnet-*.dist-info"):
        found = re.fullmatch(r"edge_effnet-(.+)\.dist-info", about.name)
        if found and (venv / "bin/edge-effnet").exists():
            return found[1]
    return None
