"""Tells systemd how a camera is: ready, what it answers, and, for its watchdog, that it goes on.

The protocol is that of sd_notify(3): datagrams to the socket in NOTIFY_SOCKET. The libraries for it
are unkept (sdnotify, of 2017) or need systemd's headers; what they would do is one ``sendto``.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping

from edge_effnet.camera.run_status import RunStatus, status_line
from edge_effnet.camera.threads.queues import Clock

SYSTEMD_VARIABLES = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
"""For this process alone; not for the commands of ``--on``."""
PROGRESS_S = 60.0
"""A camera that is away is tried again at least so often; a frame is answered in less."""
FIRST_ANSWER_S = 300.0
SLOW_ANSWERS = 5
"""Of a slow model, so many times its usual delay is waited for an answer."""
STATUS_EVERY_S = 10.0


def open_notifier(
    say: Callable[[str], None], environment: Mapping[str, str] = os.environ
) -> SystemdNotifier | None:
    """What systemd asked for by the environment; None where it asked for nothing."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return None
    microseconds = environment.get("WATCHDOG_USEC", "")
    ours = environment.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
    watched = ours and microseconds.isdecimal() and int(microseconds) > 0
    return SystemdNotifier(
        address, watchdog_s=int(microseconds) / 1e6 if watched else None, say=say
    )


class SystemdNotifier:
    """Sends READY=1 when the session has started, the status line, WATCHDOG=1 at half of the
    watchdog's time while there is progress, and STOPPING=1.

    Progress is: an answer, or a frame that a model takes; frames of a camera while no answer is
    due (``--every``); an attempt to open a camera that is away. None is a model that does not
    answer, a driver that does not return, or a thread of ours that waits for ever.

    Args:
        address: of the socket; ``@`` begins an abstract name.
        watchdog_s: within which systemd wants to hear of us; None where it does not.
        say: tells the user something.
    """

    def __init__(
        self,
        address: str,
        *,
        watchdog_s: float | None,
        say: Callable[[str], None],
        clock: Clock = time.monotonic,
    ) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._watchdog_s, self._say, self._clock = watchdog_s, say, clock
        self._mark: tuple[int, ...] | None = None
        self._progress_s = clock()
        self._ready = self._late = self._unheard = False
        self._ping_due_s = self._status_due_s = float("-inf")

    def tick(self, status: RunStatus) -> None:
        """About ten times a second, from the session's thread."""
        now = self._clock()
        if not self._ready:
            self._ready = self._send("READY=1")
        before, self._late = self._late, self._is_late(status, now)
        if self._watchdog_s is not None and now >= self._ping_due_s and not self._late:
            heard = self._send("WATCHDOG=1")
            self._ping_due_s = now + self._watchdog_s / 2 if heard else now
        if now >= self._status_due_s or self._late != before:
            self._status_due_s = now + STATUS_EVERY_S
            away = "no camera, it is tried again | " if status.capture.away else ""
            self._send(f"STATUS={away}{status_line(status)}")

    def _is_late(self, status: RunStatus, now: float) -> bool:
        mark, allowed_s = _progress(status), _allowed_s(status)
        if mark != self._mark:
            self._mark, self._progress_s = mark, now
        late = now - self._progress_s > allowed_s
        if late and not self._late and self._watchdog_s is not None:
            what = "opening the camera hangs" if status.capture.away else "no answer"
            self._say(f"{what} for {allowed_s:.0f} s: systemd's watchdog is left to restart this")
        return late

    def stopping(self) -> None:
        """The run ends: from here on systemd waits for the process, and not for its watchdog."""
        self._send("STOPPING=1")
        self._socket.close()

    def _send(self, message: str) -> bool:
        try:
            self._socket.sendto(message.encode(errors="replace"), self._address)
        except OSError as error:
            if not self._unheard and not isinstance(error, BlockingIOError):
                self._unheard = True
                self._say(f"systemd does not hear of this run: {error.strerror or error}")
            return False
        return True


def _progress(status: RunStatus) -> tuple[int, ...]:
    """Counts; another one than before is progress."""
    taken, answered = status.frames.taken, status.rates.answered
    between = taken <= answered and status.limiter.due_in_s > 0
    seen = status.capture.captured if between else -1
    return taken, answered, status.capture.attempts, seen


def _allowed_s(status: RunStatus) -> float:
    """Within which there must be progress."""
    if status.rates.answered == 0:
        return FIRST_ANSWER_S
    delay_ms = status.rates.recent(status.rates.delay_ms) or 0.0
    return max(PROGRESS_S, SLOW_ANSWERS * delay_ms / 1e3)
