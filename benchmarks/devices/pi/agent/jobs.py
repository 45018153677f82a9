"""Measurements: set off detached, followed, stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from .cache import ARCHIVE, FILES, JOBS, ROOT, is_locked, lock, wait_for, write
from .environment import Died, unimportable
from .lines import tell

WORKER = "benchmarks.devices.pi.worker"
POLL_SECONDS = 0.2


def start(request: dict[str, Any]) -> int:
    """Lay out the job ``request["id"]`` by its ``job.json`` and set it off, detached."""
    folder = JOBS / request["id"]
    job = json.loads((folder / "job.json").read_text())
    for name, key in job["links"].items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(FILES / key, target)
    if tool := job["spec"].get("native_tool"):
        (folder / tool).chmod(0o755)
    with (folder / "log").open("wb") as log:
        runner = subprocess.Popen(
            [sys.executable, str(ARCHIVE), "run"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=folder,
        )
    assert runner.stdin is not None  # noqa: S101 (asked for above)
    runner.stdin.write(json.dumps(request).encode())
    runner.stdin.close()
    wait_for(lambda: (folder / "pid").exists() or runner.poll() is not None)
    return runner.pid


def run(request: dict[str, Any]) -> None:
    """The detached part: one measurement at a time on this machine, then how it ended."""
    folder = JOBS / request["id"]
    alive = lock(folder / "alive", wait=True)  # held until this process ends, however it ends
    write(folder / "pid", str(os.getpid()))
    turn = lock(ROOT / "turn", wait=False)
    if turn is None:
        with (folder / "progress").open("a") as progress:
            progress.write(json.dumps({"stage": "waiting for another measurement"}) + "\n")
        turn = lock(ROOT / "turn", wait=True)
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
            unimportable(job["python"], job["modules"])
        except Died as died:
            end["died"] = died.line["died"]
    if done.returncode:  # whatever was found to be there may not be there any more
        (ROOT / job["version"] / "ready.json").unlink(missing_ok=True)
    write(folder / "end", json.dumps(end))
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
            ended = (folder / "end").exists() or not is_locked(folder / "alive")
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
    wait_for(partial(_removed, folder))


def clean(_request: dict[str, Any]) -> int:
    """Stop everything and remove everything; answers with the bytes that were freed."""
    for folder in JOBS.glob("*"):
        _stop(folder)
    size = sum(p.stat().st_size for p in ROOT.rglob("*") if p.is_file() and not p.is_symlink())
    shutil.rmtree(ROOT)
    return size


def _removed(folder: Path) -> bool:
    """Remove it; what a dying process just wrote there is removed the next time."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _stop(folder: Path) -> None:
    if not (folder / "pid").is_file() or not is_locked(folder / "alive"):
        return
    os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)
    wait_for(lambda: not is_locked(folder / "alive"))
