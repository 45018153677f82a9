"""The connections of the page's server: bounded in all and by address, with room for viewers.

Whoever opens connections and asks nothing, or a byte at a time, must not use up what others need:
at the bound the connection that has waited longest for its request is closed, and a new one takes
its place.
"""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
from dataclasses import dataclass


@dataclass
class _Connection:
    address: str
    waiting: bool = True


class Connections:
    """The open connections, oldest wait first.

    Args:
        most: in all.
        most_of_one: from one address.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._open: dict[socket.socket, _Connection] = {}
        self._lock = threading.Lock()

    def admit(self, connection: socket.socket, address: str) -> bool:
        """Count a new connection; whether there is room for it."""
        with self._lock:
            own = [one for one, state in self._open.items() if state.address == address]
            full = len(self._open) >= self._most
            rivals = own if len(own) >= self._most_of_one else list(self._open) if full else None
            if rivals is not None and not self._close_waiting(rivals):
                return False
            self._open[connection] = _Connection(address)
            return True

    def _close_waiting(self, rivals: list[socket.socket]) -> bool:
        """Close the one that has waited longest for its request; whether there is one."""
        for rival in rivals:
            if self._open[rival].waiting:
                del self._open[rival]
                with contextlib.suppress(OSError):  # its own thread ends it then
                    rival.shutdown(socket.SHUT_RDWR)
                return True
        return False

    def mark(self, connection: socket.socket, *, waiting: bool) -> None:
        """Note whether a connection waits for its next request, or works on one."""
        with self._lock:
            if (state := self._open.pop(connection, None)) is not None:
                state.waiting = waiting
                self._open[connection] = state  # behind the others

    def release(self, connection: socket.socket) -> None:
        """A connection is closed."""
        with self._lock:
            self._open.pop(connection, None)


class DeadlineReader(io.RawIOBase):
    """Reads a socket up to a moment, however often a byte comes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._until = connection, time.monotonic()

    def allow(self, seconds: float) -> None:
        """Everything read from now on must come within so long."""
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Raises TimeoutError where the time is over."""
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)
        return self._connection.recv_into(buffer)
