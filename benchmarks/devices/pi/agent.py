"""What runs on the Pi before anything of ours is installed there: the standard library only.

    python3 agent.py VERB            one JSON object on stdin, JSON lines on stdout

Everything lies in the folder of this file (``~/.cache/edge-effnet``): files by content hash, an
environment for each version of the tool, a folder for each measurement. A measurement runs
detached: a lost link leaves it alone. Lines are ``{"say": …}``, ``{"progress": …}`` and last
``{"answer": …}`` or ``{"error": {"what": …, "found": …, "fix": …}}``.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent
FILES, JOBS = ROOT / "files", ROOT / "jobs"
WORKER = "benchmarks.devices.pi.worker"
POLL_SECONDS = 0.2
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


class Refused(Exception):
    """Becomes an error line."""

    def __init__(self, what: str, *, found: str | None = None, fix: str) -> None:
        super().__init__(what)
        self.line = {"what": what, "found": found, "fix": fix}


def tell(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def describe(_request: dict[str, Any]) -> dict[str, Any]:
    """What this machine is; needs no folder of ours."""
    cpuinfo = Path("/proc/cpuinfo")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "bits": 8 * struct.calcsize("P"),
        "cpuinfo": cpuinfo.read_text(errors="replace") if cpuinfo.exists() else "",
        "free_bytes": shutil.disk_usage(ROOT).free,
    }


def missing(request: dict[str, Any]) -> list[str]:
    """Which of ``{"files": {hash: size}}`` are not here."""
    found = []
    for key, size in request["files"].items():
        file = FILES / key
        if not file.is_file() or file.stat().st_size != size:
            found.append(key)
    return found


def environment(request: dict[str, Any]) -> dict[str, str]:
    """Find or build what the package ``request["package"]`` (a wheel's hash) needs.

    ``request["modules"]`` maps import names to requirements. The system's own Python is taken
    where it has them all; else an environment that sees the system's packages, into which pip
    puts what is missing: from its own index, or only from ``request["wheels"]`` (name: hash).
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
    absent = _unimportable(python, modules)
    if by_apt := [name for key, name in request["from_apt"].items() if key in absent]:
        raise Refused(
            "the Pi lacks packages that have no wheels for 32-bit systems",
            found=", ".join(by_apt) + " missing",
            fix="on the Pi: sudo apt install -y " + " ".join(by_apt),
        )
    if absent:
        tell(say="building an environment for " + ", ".join(modules[name] for name in absent))
        python = _build(home / "venv", request["wheels"], [modules[name] for name in absent])
        absent = _unimportable(python, modules)
        if absent:
            raise Refused(
                "the environment on the Pi is not complete",
                found=", ".join(absent) + " cannot be imported",
                fix="remove it with --clean and measure again",
            )
    stamp.write_text(json.dumps({"modules": modules, "python": python}))
    return {"python": python, "package": str(package)}


def _unimportable(python: str, modules: Sequence[str] | dict[str, str]) -> list[str]:
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


def _build(venv: Path, wheels: dict[str, str], requirements: list[str]) -> str:
    python = str(venv / "bin" / "python")
    if not Path(python).exists():
        _run(
            [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", str(venv)],
            "sudo apt install -y python3-venv on the Pi",
        )
    if subprocess.run(
        [python, "-m", "pip", "--version"], capture_output=True, check=False
    ).returncode:
        _run([python, "-m", "ensurepip"], "sudo apt install -y python3-venv on the Pi")
    folder = venv.parent / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, key in wheels.items():
        os.link(FILES / key, folder / name)
    source = ["--no-index", "--find-links", str(folder)] if wheels else []
    options = ["--only-binary=:all:", "--no-compile", "--disable-pip-version-check", "--no-input"]
    fix = (
        "put what is missing into the folder of --wheels"
        if wheels
        else "connect the Pi to the internet, or give the wheels from here: --wheels DIR"
    )
    _run([python, "-m", "pip", "install", *options, *source, *requirements], fix)
    return python


def _run(command: list[str], fix: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        errors = [line for line in said if line.startswith("ERROR")] or said[-1:]
        raise Refused(
            f"the environment on the Pi could not be built ({' '.join(command[1:4])})",
            found=" ".join(errors)[-400:] or f"exit code {done.returncode}",
            fix=fix,
        )


def start(request: dict[str, Any]) -> int:
    """Lay out the job ``request["id"]`` by its ``job.json`` and set it off, detached."""
    folder = JOBS / request["id"]
    job = json.loads((folder / "job.json").read_text())
    for name, key in job["links"].items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(FILES / key, place)
    if tool := job["spec"].get("native_tool"):
        (folder / tool).chmod(0o755)
    with (folder / "log").open("wb") as log:
        runner = subprocess.Popen(
            [sys.executable, __file__, "run"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=folder,
        )
    assert runner.stdin is not None  # noqa: S101 (asked for above)
    runner.stdin.write(json.dumps(request).encode())
    runner.stdin.close()
    _wait_for(lambda: (folder / "pid").exists() or runner.poll() is not None)
    return runner.pid


def run(request: dict[str, Any]) -> None:
    """The detached part: one measurement at a time on this machine, then how it ended."""
    folder = JOBS / request["id"]
    alive = _lock(folder / "alive", wait=True)  # held until this process ends, however it ends
    _write(folder / "pid", str(os.getpid()))
    turn = _lock(ROOT / "turn", wait=False)
    if turn is None:
        with (folder / "progress").open("a") as progress:
            progress.write(json.dumps({"stage": "waiting for another measurement"}) + "\n")
        turn = _lock(ROOT / "turn", wait=True)
    job = json.loads((folder / "job.json").read_text())
    done = subprocess.run(
        [job["python"], "-m", WORKER, "job.json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": job["package"]},
        check=False,
    )
    end: dict[str, Any] = {"code": done.returncode}
    if done.returncode < 0:
        try:
            _unimportable(job["python"], job["modules"])
        except Died as died:
            end["died"] = died.line["died"]
    if done.returncode:  # whatever was found to be there may not be there any more
        (ROOT / job["version"] / "ready.json").unlink(missing_ok=True)
    _write(folder / "end", json.dumps(end))
    for held in (alive, turn):
        if held is not None:
            held.close()


def follow(request: dict[str, Any]) -> dict[str, Any]:
    """Repeat the job's progress from its beginning until it ends."""
    folder = JOBS / request["id"]
    progress = folder / "progress"
    progress.touch()
    with progress.open() as lines:
        while True:
            # Looked at before the lines are read: what it wrote before its end is not missed.
            ended = (folder / "end").exists() or _lock(folder / "alive", wait=False) is not None
            for line in iter(lines.readline, ""):
                tell(progress=json.loads(line))  # each is written at once, so it is whole
            if ended:
                break
            time.sleep(POLL_SECONDS)
    end = folder / "end"
    log = (folder / "log").read_text(errors="replace").splitlines()
    return {**(json.loads(end.read_text()) if end.exists() else {"code": None}), "log": log[-5:]}


def jobs(_request: dict[str, Any]) -> list[str]:
    """Measurements not yet fetched, oldest first: their names begin with the time."""
    return sorted(entry.parent.name for entry in JOBS.glob("*/pid"))


def forget(request: dict[str, Any]) -> None:
    """Stop a job where it still runs, and remove its folder."""
    folder = JOBS / request["id"]
    _stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def clean(_request: dict[str, Any]) -> int:
    """Stop everything and remove everything; answers with the bytes that were freed."""
    for folder in JOBS.glob("*"):
        _stop(folder)
    size = sum(p.stat().st_size for p in ROOT.rglob("*") if p.is_file() and not p.is_symlink())
    shutil.rmtree(ROOT)
    return size


def _stop(folder: Path) -> None:
    if not (folder / "pid").is_file() or _lock(folder / "alive", wait=False) is not None:
        return
    os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)
    _wait_for(lambda: _lock(folder / "alive", wait=False) is not None)


def _lock(file: Path, *, wait: bool) -> IO[str] | None:
    """The open file while it is locked by us; None where another process has it."""
    held = file.open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        held.close()
        return None
    return held


def _wait_for(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)


def _write(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    part.write_text(text)
    part.rename(file)


VERBS: dict[str, Callable[[dict[str, Any]], Any]] = {
    verb.__name__: verb
    for verb in (describe, missing, environment, start, run, follow, jobs, forget, clean)
}


def main() -> None:
    try:
        answer = VERBS[sys.argv[1]](json.load(sys.stdin))
    except Refused as refused:
        tell(error=refused.line)
    except OSError as error:
        tell(
            error={
                "what": f"the Pi cannot {sys.argv[1]}",
                "found": str(error),
                "fix": "look at its disk: df -h, and at who owns ~/.cache",
            }
        )
    else:
        tell(answer=answer)


if __name__ == "__main__":
    main()
