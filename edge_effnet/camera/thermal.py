"""Care for the board: its temperature, its throttling, and a lower rate while it is too hot."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from edge_effnet.measure.system_state import SystemState, read_system_state

COOLER_BY_C = 4.0  # before the rate rises again: else it would swing
SLOWER, FASTER = 0.75, 1.15
LOWEST_FPS = 0.5


@dataclass(frozen=True)
class BoardHealth:
    """The board now: temperature in °C or None, and what slows it, in words."""

    temperature_c: float | None = None
    throttled: tuple[str, ...] = ()


def board_health(state: SystemState) -> BoardHealth:
    return BoardHealth(state.temperature_c, state.throttling.names)


def next_limit(
    limit_fps: float | None,
    running_fps: float,
    health: BoardHealth,
    max_temp_c: float,
    asked_fps: float | None,
) -> float | None:
    """The rate from now on, in frames a second; None is as fast as it goes.

    Too hot or throttled: three quarters of what it runs at. Cool again: up in small steps, to
    what the user asked for.
    """
    warm = health.temperature_c is not None and health.temperature_c > max_temp_c
    if warm or health.throttled:
        running = min(running_fps, limit_fps) if limit_fps else running_fps
        lowest_fps = min(LOWEST_FPS, limit_fps or LOWEST_FPS)
        return max(lowest_fps, SLOWER * running) if running > 0 else limit_fps
    if limit_fps is None or limit_fps == asked_fps:
        return asked_fps
    if health.temperature_c is not None and health.temperature_c > max_temp_c - COOLER_BY_C:
        return limit_fps
    raised = FASTER * limit_fps
    if asked_fps is not None:
        return min(asked_fps, raised)
    # Without a request: free again once the limit no longer binds.
    return None if raised > 1.5 * running_fps else raised


class RateCare:
    """Lowers the rate of a hot or throttled board, and raises it again.

    Args:
        asked_fps: what the user asked for.
        say: tells the user what has changed.
    """

    def __init__(
        self, max_temp_c: float, asked_fps: float | None, say: Callable[[str], None]
    ) -> None:
        self._max_temp_c, self._asked_fps, self._say = max_temp_c, asked_fps, say
        self._throttled: tuple[str, ...] = ()

    def adjust(
        self, limit_fps: float | None, running_fps: float, health: BoardHealth
    ) -> float | None:
        """The rate from now on, see ``next_limit``."""
        if health.throttled and health.throttled != self._throttled:
            self._say(f"the board slows itself down: {', '.join(health.throttled)}")
        self._throttled = health.throttled
        limit = next_limit(limit_fps, running_fps, health, self._max_temp_c, self._asked_fps)
        if limit != limit_fps:
            hot = "" if health.temperature_c is None else f" at {health.temperature_c:.0f} °C"
            rate = "no limit" if limit is None else f"{limit:.1f} frames a second"
            self._say(f"the rate is now {rate}{hot}")
        return limit


class BoardMonitor:
    """Reads the board every few seconds in a thread; ``health`` is the latest."""

    def __init__(
        self, *, every_s: float = 2.0, read: Callable[[], SystemState] = read_system_state
    ) -> None:
        self.health = BoardHealth()
        self._every_s, self._read = every_s, read
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        while True:
            self.health = board_health(self._read())
            if self._stop.wait(self._every_s):
                return

    def end(self) -> None:
        self._stop.set()
        self._thread.join(1.0)
