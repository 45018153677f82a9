"""The environment a measurement runs in: found on the Pi, or built there."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .cache import FILES, ROOT
from .lines import Refused, tell

# In a process of its own, because an import can kill it: the last name it printed is to blame.
_IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    print(name, flush=True)
    try:
        importlib.import_module(name)
    except Exception:
        print("!" + name, flush=True)
"""
_WHEEL = """
import sys
from importlib import metadata
names = metadata.packages_distributions().get(sys.argv[1].partition(".")[0]) or [sys.argv[1]]
found = metadata.distribution(names[0])
tags = [line[5:] for line in (found.read_text("WHEEL") or "").splitlines() if line[:5] == "Tag: "]
print(found.metadata["Name"], found.version, *tags)
"""


def environment(request: dict[str, Any]) -> dict[str, str]:
    """Find or build what the package ``request["package"]`` (an archive's hash) needs.

    ``request["modules"]`` maps import names to requirements. The system's own Python is taken
    where it has them all; else an environment that sees the system's packages, into which pip
    puts the files with the hashes of ``request["pinned"]`` (the text of a requirements file), or
    what is missing, only from ``request["wheels"]`` (name: hash).
    """
    with (ROOT / "environment.lock").open("a") as only:  # two hosts may come at a time
        fcntl.flock(only, fcntl.LOCK_EX)
        return _environment(request, ROOT / request["version"])


def _environment(request: dict[str, Any], home: Path) -> dict[str, str]:
    package = home / ("package-" + request["package"][:16])
    if not package.is_dir():
        part = package.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        with zipfile.ZipFile(FILES / request["package"]) as pack:
            pack.extractall(part)
        part.rename(package)
    modules: dict[str, str] = request["modules"]
    stamp = home / "ready.json"
    if stamp.is_file():
        ready = json.loads(stamp.read_text())
        if ready["modules"] == modules and Path(ready["python"]).exists():
            return {"python": ready["python"], "package": str(package)}
    python = sys.executable
    absent = unimportable(python, modules)
    if by_apt := [name for key, name in request["from_apt"].items() if key in absent]:
        raise Refused(
            "the Pi lacks packages that have no wheels for 32-bit systems",
            found=", ".join(by_apt) + " missing",
            fix="on the Pi: sudo apt install -y " + " ".join(by_apt),
        )
    if absent:
        tell(say="building an environment for " + ", ".join(modules[name] for name in absent))
        python = make_environment(home / "venv")
        if request["wheels"]:
            install_wheels(python, home, request["wheels"], [modules[name] for name in absent])
        else:
            install_pinned(python, home, request["pinned"])
        absent = unimportable(python, modules)
        if absent:
            raise Refused(
                "the environment on the Pi is not complete",
                found=", ".join(absent) + " cannot be imported",
                fix="remove it with --clean and measure again",
            )
    stamp.write_text(json.dumps({"modules": modules, "python": python}))
    return {"python": python, "package": str(package)}


def unimportable(python: str, modules: Sequence[str] | dict[str, str]) -> list[str]:
    """Which cannot be imported; one that kills the process is refused by name."""
    done = subprocess.run(
        [python, "-c", _IMPORT_ALL, *modules], capture_output=True, text=True, check=False
    )
    lines = done.stdout.split()
    if done.returncode < 0:
        raise Died(python, lines[-1], -done.returncode)
    return [line[1:] for line in lines if line.startswith("!")]


class Died(Refused):
    """A native library killed the process that imported or ran it."""

    def __init__(self, python: str, module: str, number: int) -> None:
        asked = subprocess.run(
            [python, "-c", _WHEEL, module], capture_output=True, text=True, check=False
        )
        wheel = asked.stdout.strip() or module
        super().__init__(f"{module} died", found=signal.Signals(number).name, fix="")
        self.line["died"] = wheel


def make_environment(venv: Path) -> str:
    """Make an environment with pip, which may be there already; its Python."""
    python = str(venv / "bin" / "python")
    if not Path(python).exists():
        run(
            [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", str(venv)],
            "sudo apt install -y python3-venv on the Pi",
        )
    if subprocess.run(
        [python, "-m", "pip", "--version"], capture_output=True, check=False
    ).returncode:
        run([python, "-m", "ensurepip"], "sudo apt install -y python3-venv on the Pi")
    return python


def install_wheels(
    python: str, home: Path, wheels: dict[str, str], requirements: list[str]
) -> None:
    """Install what is missing, from the files that came with the request."""
    folder = home / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, key in wheels.items():
        os.link(FILES / key, folder / name)
    source = ["--no-index", "--find-links", str(folder)]
    fix = "put what is missing into the folder of --wheels"
    run([*pip(python), *source, *requirements], fix)


def install_pinned(python: str, home: Path, pinned: str) -> None:
    """Install all of it, so that what works together is together; pip refuses other hashes."""
    names = home / "requirements.txt"
    names.write_text(pinned)

    def fix(said: str) -> str:
        if "DO NOT MATCH THE HASHES" in said:
            return "look at the index that pip uses on the Pi: pip config list"
        return (
            "connect the Pi to the internet, or give the packages from here: --wheels DIR "
            "(edge-effnet push --help shows how)"
        )

    run([*pip(python), "--require-hashes", "--no-deps", "--requirement", str(names)], fix)


def pip(python: str) -> list[str]:
    """The beginning of a command that installs."""
    options = ["--only-binary=:all:", "--no-compile", "--disable-pip-version-check", "--no-input"]
    return [python, "-m", "pip", "install", *options]


def run(command: list[str], fix: str | Callable[[str], str]) -> None:
    """Run it; where it fails, ``fix`` is what to do, or makes it of what was said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        first = next((i for i, line in enumerate(said) if line.startswith("ERROR")), -1)
        raise Refused(
            f"the environment on the Pi could not be built ({' '.join(command[1:4])})",
            found=" ".join(" ".join(said[first:]).split())[:400] or f"exit code {done.returncode}",
            fix=fix if isinstance(fix, str) else fix("\n".join(said)),
        )
