"""What Ray runs: ``work`` on each worker, and one ``Control`` that all of them can reach.

The command and the chief meet at the control: the chief tells it how far the run is, the command
asks it, and tells it to stop. After a kill Ray calls ``work`` again on all workers; what was over
by then stays over.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_effnet.errors import EdgeEffnetError
from edge_effnet.stages import Advance
from edge_effnet.training.cluster.group import ALONE, Group, WorkerLost
from edge_effnet.training.cluster.members import Member, member_from_environment
from edge_effnet.training.epochs import Callbacks, Interrupted

ATTEMPTS_IN_VAIN = 5
_SECONDS_BETWEEN = 0.2  # two messages of one kind

Event = tuple[str, tuple[Any, ...]]


class Control:
    """A Ray actor.

    An outcome is ``("result", TrainingResult)``, ``("error", parts)`` or ``("stopped", None)``.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._outcome: tuple[str, Any] | None = None
        self._stop = False
        self._attempts = self._in_vain = self._furthest = self._step = 0

    def begin(self) -> int:
        """Called by the chief of each attempt; answers with its number, from 1.

        The run is over where ``ATTEMPTS_IN_VAIN`` attempts on end came no step further.
        """
        self._in_vain = 0 if self._step > self._furthest else self._in_vain + 1
        self._furthest = max(self._furthest, self._step)
        self._attempts += 1
        if self._in_vain > ATTEMPTS_IN_VAIN:
            parts = {
                "what": "workers of the run are lost again and again",
                "found": f"{ATTEMPTS_IN_VAIN} attempts that came no step further",
                "expected": None,
                "fix": "look at Ray's logs for why they end; memory is the usual reason",
            }
            self.finish("error", (1, parts))
        return self._attempts

    def tell(self, name: str, *values: Any) -> None:
        if name == "step":
            self._step = int(values[0])
        self._events.append((name, values))

    def take(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def finish(self, kind: str, value: Any) -> None:
        self._outcome = self._outcome or (kind, value)

    def outcome(self) -> tuple[str, Any] | None:
        return self._outcome

    def stop(self) -> None:
        self._stop = True

    def stopping(self) -> bool:
        return self._stop


def work(job: dict[str, Any]) -> None:
    """Train, as one worker of a group.

    Args:
        job: ``control`` (the actor), ``config``, ``folder``, ``directory`` (where the command was
            called), ``resume``, ``overwrite``, ``threads``, ``save_every_seconds``, ``cores``
            (of this machine, for each worker; None for all).

    Raises:
        WorkerLost: another worker no longer answers; Ray starts all of them again.
        EdgeEffnetError: what ends the run, after the command was told.
    """
    import ray

    control = job["control"]
    if ray.get(control.outcome.remote()) is not None:
        return
    if Path(job["directory"]).is_dir():
        os.chdir(job["directory"])
    member = member_from_environment()
    chief = member is None or member.index == 0
    try:
        if job["cores"] is not None:
            _keep_to(job["cores"], member.index if member else 0)
        attempt = ray.get(control.begin.remote()) if chief else 0
        if chief and (over := ray.get(control.outcome.remote())) is not None:
            raise EdgeEffnetError(**over[1][1])
        group = _join(member)
        result = _train(job, group, _callbacks(control, chief=chief), attempt)
    except Interrupted:
        outcome: tuple[str, Any] = ("stopped", None)
    except WorkerLost:
        raise
    except EdgeEffnetError as error:
        parts = {name: getattr(error, name) for name in ("what", "found", "expected", "fix")}
        ray.get(control.finish.remote("error", (error.exit_code, parts)))
        raise
    else:
        outcome = ("result", result)
    if chief:
        ray.get(control.finish.remote(*outcome))


def _join(member: Member | None) -> Group:
    if member is None:
        return ALONE
    from edge_effnet.training.cluster.rendezvous import meet
    from edge_effnet.training.steps.step import join_group

    meet(member)
    return join_group(member)


def _train(job: dict[str, Any], group: Group, callbacks: Callbacks, attempt: int) -> Any:
    from edge_effnet.system.cores import available_cores
    from edge_effnet.training.trainer import resume, train, train_or_resume

    folder = Path(job["folder"])
    common: dict[str, Any] = {
        "workers": job["threads"] or available_cores(),
        "save_every_seconds": job["save_every_seconds"],
        "callbacks": callbacks,
        "group": group,
    }
    if int(group.texts(str(attempt))[0]) > 1:
        callbacks.say("a worker was lost: all begin again, at the last state that was stored")
        return train_or_resume(job["config"], folder, **common)
    if job["resume"]:
        return resume(folder, config=job["config"], **common)
    return train(job["config"], folder, overwrite=job["overwrite"], shared=True, **common)


def _keep_to(cores: int, index: int) -> None:
    """Leave the other cores of this machine to its other workers."""
    allowed = sorted(os.sched_getaffinity(0))
    own = allowed[index * cores : (index + 1) * cores]
    if own:
        os.sched_setaffinity(0, own)


def _callbacks(control: Any, *, chief: bool) -> Callbacks:
    import ray

    if not chief:
        return Callbacks()
    last: dict[str, float] = {}

    def due(kind: str) -> bool:
        now = time.monotonic()
        if now - last.get(kind, -1e9) < _SECONDS_BETWEEN:
            return False
        last[kind] = now
        return True

    def stage(name: str, steps: int | None) -> Advance:
        control.tell.remote("stage", name, steps)

        def advance(done: int) -> None:
            if due(name) or done == steps:
                control.tell.remote("advance", done)

        return advance

    def on_step(done: int, total: int) -> None:
        if due("step") or done == total:
            control.tell.remote("step", done, total)

    asked: list[bool] = [False]

    def stop() -> bool:
        if due("stop"):
            asked[0] = bool(ray.get(control.stopping.remote()))
        return asked[0]

    def teller(name: str) -> Callable[[Any], None]:
        return lambda value: control.tell.remote(name, value)

    return Callbacks(teller("say"), stage, on_step, teller("epoch"), stop)
