"""``edge-effnet camera`` in the emulated PC: started, watched by its JSON lines, and stopped."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.camera_machine.machine import Machine

WAIT_SECONDS = 120
V4L2 = "PYTHONPATH=/code exec python3 -m edge_effnet camera --source /dev/video0"
PICAMERA2 = "exec edge-effnet camera"
"""By default: the machine has no USB camera."""
_numbers = count()


@dataclass
class CameraRun:
    """One that goes on; the last four after its end.

    Attributes:
        code: its exit status.
        summary, said: its standard output and error.
        figures: what ``--json`` wrote.
    """

    machine: Machine
    name: str
    process: subprocess.Popen[str]
    code: int | None = None
    summary: str = ""
    said: str = ""
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its JSON lines so far."""
        file = self.machine.share / f"{self.name}.jsonl"
        whole = file.read_text().rpartition("\n")[0] if file.exists() else ""
        return [json.loads(line) for line in whole.splitlines()]

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["type"] == "answer"]

    @property
    def notes(self) -> list[str]:
        return [line["text"] for line in self.lines if line["type"] == "note"]

    @property
    def pid(self) -> int:
        return int((self.machine.share / f"{self.name}.pid").read_text())

    def wait(self, until: Callable[[], object]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not until():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, f"{self.lines[-3:]}"
            time.sleep(0.2)

    def wait_for_answers(self, number: int) -> None:
        """Until there are this many more."""
        before = len(self.answers)
        self.wait(lambda: len(self.answers) >= before + number)


@contextmanager
def camera(machine: Machine, command: str, *, end: str = "INT") -> Iterator[CameraRun]:
    """A run with ``--json`` and ``--jsonl``, ended by a signal."""
    name = f"run{next(_numbers)}"
    place = f"/share/{name}"
    outputs = f"--quiet --jsonl {place}.jsonl --json {place}.json"
    process = machine.start(f"echo $$ > {place}.pid; {command} {outputs}")
    run = CameraRun(machine, name, process)
    try:
        yield run
        machine.need(f"kill -{end} {run.pid}")
        run.summary, run.said = process.communicate(timeout=WAIT_SECONDS)
        run.code = process.returncode
        run.figures = json.loads(Path(machine.share / f"{run.name}.json").read_text())
    finally:
        if process.poll() is None:
            machine.run(f"kill -KILL $(cat {place}.pid)")
            process.kill()
            process.communicate()
