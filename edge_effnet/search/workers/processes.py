"""Jobs in processes on this machine, each of which ends with its job.

TensorFlow keeps a tenth of a gigabyte of each network that it has trained until its process ends.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from edge_effnet.runtime.crash import signal_name
from edge_effnet.search.workers.job import Event, Job
from edge_effnet.search.workers.work import work
from edge_effnet.system.apart import started_apart
from edge_effnet.system.cores import available_cores
from edge_effnet.system.memory import available_bytes

_POLL_SECONDS = 0.2
_STOP = b"stop\n"


class Processes:
    """A ``Pool``."""

    def __init__(self, at_once: int | None, held: ExitStack) -> None:
        self.at_once = at_once or available_cores()
        self._fixed = at_once is not None
        self._held = held
        self._running: dict[Job, subprocess.Popen[bytes]] = {}
        self._told: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def make_room(self, job_bytes: float) -> None:
        """See ``Pool``; what the user asked for stays."""
        if not self._fixed and (free := available_bytes()) is not None:
            self.at_once = max(1, min(self.at_once, int(free / job_bytes)))

    def start(self, job: Job) -> None:
        """See ``Pool``.

        Raises:
            OSError: no process can be started here.
        """
        process = self._held.enter_context(started_apart(__name__, json.dumps(job.to_json())))
        self._running[job] = process
        threading.Thread(target=self._read, args=(job, process), daemon=True).start()

    def _read(self, job: Job, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 (a pipe)
        outcome: Any = None
        with process.stdout as lines:
            for line in lines:
                name, values = json.loads(line)
                if name == "outcome":
                    outcome = values
                else:
                    self._told.put((job, name, tuple(values)))
        code = process.wait()
        ended = signal_name(-code) if code < 0 else f"exit code {code}"
        self._told.put((job, "outcome", tuple(outcome or ("lost", ended))))

    def events(self) -> list[Event]:
        """See ``Pool``."""
        found: list[Event] = []
        with suppress(queue.Empty):
            found.append(self._told.get(timeout=_POLL_SECONDS))
            while True:
                found.append(self._told.get_nowait())
        for job, name, _ in found:
            if name == "outcome":
                self._running.pop(job, None)
        return found

    def stop(self) -> None:
        """See ``Pool``."""
        for process in self._running.values():
            assert process.stdin is not None  # noqa: S101 (a pipe)
            with suppress(OSError):  # it has ended
                process.stdin.write(_STOP)
                process.stdin.flush()


@contextmanager
def local_processes(at_once: int | None = None) -> Iterator[Processes]:
    """Processes on this machine; those that still run at the end are killed where the block ends
    in an exception.

    Args:
        at_once: None takes as many as there are cores and memory for.
    """
    with ExitStack() as held:
        yield Processes(at_once, held)


def main(text: str) -> None:
    """Do a job; what is told goes to the standard output, a line of JSON each."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints does not print there
    asked = threading.Event()

    def listen() -> None:
        while os.read(sys.stdin.fileno(), len(_STOP)):
            asked.set()
        os._exit(1)  # whoever started this process is gone

    threading.Thread(target=listen, daemon=True).start()

    def tell(name: str, *values: Any) -> None:
        print(json.dumps([name, values]), file=out, flush=True)

    tell("outcome", *work(Job(**json.loads(text)), tell, asked.is_set))
