"""What a worker is told, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from edge_effnet.errors import EdgeEffnetError, UsageProblem


@dataclass(frozen=True)
class Job:
    """A part of one training.

    Attributes:
        folder: of the search, absolute.
        settings: fingerprint of the search's settings, by which a worker knows the folder.
        point: name of the network.
        before: the epoch at which the training stands.
        until: the epoch to whose end it goes; the confirming images are looked at after the last.
    """

    folder: str
    settings: str
    point: str
    seed: int
    before: int
    until: int

    @property
    def name(self) -> str:
        return f"{self.point} seed {self.seed}"

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


Outcome = tuple[str, Any]
"""``("done", results)`` with ``trial`` (a ``TrialResult``) and ``confirmed`` (``images`` and which
are ``wrong``, or None), ``("error", parts)``, ``("stopped", None)``, or ``("lost", reason)`` where
the worker has ended without an answer."""
Tell = Callable[..., None]
"""Called with ``"step", done, all`` of the whole training, or with ``"say", line``."""
Event = tuple[Job, str, tuple[Any, ...]]
"""What a worker told, or ``"outcome"`` with an outcome."""


class Pool(Protocol):
    """Where jobs run.

    Attributes:
        at_once: jobs at a time.
    """

    at_once: int

    def make_room(self, job_bytes: float) -> None:
        """Do fewer jobs at a time where the memory is too short; called before the first one.

        Args:
            job_bytes: of memory that one takes at most, roughly.
        """

    def start(self, job: Job) -> None:
        """Start a job; it may have been started before, and lost."""

    def events(self) -> list[Event]:
        """What was told since the last call; waits a moment where that is nothing."""

    def stop(self) -> None:
        """Ask all jobs that run to store where they stand and end."""


def error_parts(error: BaseException) -> dict[str, Any]:
    """An error as JSON."""
    if isinstance(error, EdgeEffnetError):
        names = ("exit_code", "what", "found", "expected", "fix")
        return {name: getattr(error, name) for name in names}
    return {
        "exit_code": EdgeEffnetError.exit_code,
        "what": "a training failed",
        "found": f"{type(error).__name__}: {error}",
        "expected": None,
        "fix": "mend that, then go on with --resume",
    }


def rebuilt(parts: dict[str, Any]) -> EdgeEffnetError:
    """The error again."""
    texts = {name: part for name, part in parts.items() if name != "exit_code"}
    usage = parts["exit_code"] == UsageProblem.exit_code
    return (UsageProblem if usage else EdgeEffnetError)(**texts)
