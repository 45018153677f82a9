"""CommandHooks: a command that runs when a label is seen. Never a shell, never in the way."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_effnet.camera.answers import UNKNOWN, Decision
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.outputs.base import answer_named
from edge_effnet.camera.outputs.systemd_notify import SYSTEMD_VARIABLES
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.threads.queues import Clock
from edge_effnet.errors import UsageProblem
from edge_effnet.printable import printable

TOKEN_VARIABLE = "EDGE_EFFNET_TOKEN"  # noqa: S105
"""Of the page; not for the commands of ``--on``."""
_KEPT_BACK = SYSTEMD_VARIABLES | {TOKEN_VARIABLE}


@dataclass(frozen=True)
class Hook:
    """Run ``command`` when ``label`` appears."""

    label: str
    command: tuple[str, ...]


def parse_hook(name: str, command: str, labels: Sequence[str], *, none: str = UNKNOWN) -> Hook:
    """Read ``--on LABEL 'command arguments'``; ``none`` is the answer of no label.

    Raises:
        UsageProblem: no such label, or no such program.
    """
    label = answer_named(name, labels, none, option="--on")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageProblem(
            f"--on {name}: the command is not understood", found=str(error), fix="check the quotes"
        ) from error
    if not words or shutil.which(words[0]) is None:
        raise UsageProblem(
            f"--on {name}: there is no such program",
            found=repr(words[0] if words else ""),
            fix="give its full path; pipes and redirections need a script",
        )
    return Hook(label, tuple(words))


class CommandHooks:
    """Fires hooks on the answers of one feed.

    A hook fires when its label becomes an answer, not while it stays one, at most once in
    ``pause_s``, and not while its last command still runs. ``{label}`` and ``{score}`` in its
    arguments are replaced; EDGE_EFFNET_LABEL, EDGE_EFFNET_SCORE and EDGE_EFFNET_FRAME are in its
    environment, and neither the page's token nor systemd's socket. Characters of a label that no
    argument can hold, or that none should, are escaped (``printable``). What it prints goes to
    standard error.
    """

    problem = None

    def __init__(
        self,
        hooks: Sequence[Hook],
        *,
        pause_s: float,
        say: Callable[[str], None],
        clock: Clock = time.monotonic,
    ) -> None:
        self.fired = 0
        self._hooks, self._pause_s, self._say, self._clock = tuple(hooks), pause_s, say, clock
        self._labels: frozenset[str] = frozenset()
        self._next_s = [float("-inf")] * len(self._hooks)
        self._running: list[threading.Thread | None] = [None] * len(self._hooks)

    def see(self, shown: Decision, frame: Frame) -> None:
        """Fire what this answer fires, one label or several."""
        scores = {item.label: item.score for item in shown.answers}
        before, self._labels = self._labels, frozenset(scores)
        for index, hook in enumerate(self._hooks):
            label = hook.label
            if label not in scores or label in before:
                continue
            now, thread, score = self._clock(), self._running[index], scores[label]
            busy = thread is not None and thread.is_alive()
            if now < self._next_s[index] or busy:
                continue
            self._next_s[index] = now + self._pause_s
            self.fired += 1
            name = printable(label)
            command = [
                word.replace("{label}", name).replace("{score}", f"{score:.3f}")
                for word in hook.command
            ]
            values = {"LABEL": name, "SCORE": f"{score:.6f}", "FRAME": str(frame.number)}
            variables = {f"EDGE_EFFNET_{name}": value for name, value in values.items()}
            # A thread each: starting a process takes milliseconds, and its end must be awaited.
            thread = threading.Thread(
                target=self._execute, args=(hook, command, variables), daemon=True
            )
            self._running[index] = thread
            thread.start()

    def _execute(self, hook: Hook, command: list[str], variables: dict[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in _KEPT_BACK}
        try:
            done = subprocess.run(
                command,
                env={**inherited, **variables},
                stdin=subprocess.DEVNULL,
                stdout=2,
                start_new_session=True,  # Ctrl-C is ours
                check=False,
            )
        except (OSError, ValueError) as error:  # of the words: no such letters in this locale
            self._say(f"--on {hook.label}: {getattr(error, 'strerror', None) or error}")
            return
        if done.returncode:
            self._say(f"--on {hook.label}: the command ended with {done.returncode}")

    def take_over(self, settings: SessionSettings) -> None:
        """The labels that are asked about stay."""

    def tick(self, *, away: bool) -> None:
        """A camera that comes back with the same answer brings no appearance."""

    def end(self, timeout_s: float = 2.0) -> None:
        """Give running commands a moment; they go on by themselves after that."""
        until = time.monotonic() + timeout_s
        for thread in self._running:
            if thread is not None:
                thread.join(max(0.0, until - time.monotonic()))
