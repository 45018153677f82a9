"""BrokerConnection: what topics of a broker should hold, kept there whatever happens to it.

Callers say what a topic holds from now on. A thread of its own connects, publishes what the broker
does not have yet, and connects again. So nobody waits for the network, a broker that is away for
months takes no memory, and one that has forgotten everything gets the whole state again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from edge_effnet.camera.outputs.mqtt.address import BrokerAddress
from edge_effnet.camera.outputs.mqtt.link import (
    ConnectionEnded,
    ConnectionLost,
    Link,
    require_paho,
)
from edge_effnet.errors import EdgeEffnetError

START_S = 8.0
"""Within which a broker that is there has answered."""
END_S = 1.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LASTING_S = 30.0
"""After a connection that held so long, pauses are short again."""


class BrokerConnection:
    """Holds retained messages at a broker, with quality of service 1.

    Args:
        last: the topic whose message goes out after all others, and by the last will.
        will: its message when the broker misses us.
        own: a filter of topics that are all ours: what they hold of earlier runs is cleared.
        say: tells the user something; called from another thread too.

    Raises:
        MissingExtra: paho-mqtt is not installed.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        last: str,
        will: str,
        own: str,
        say: Callable[[str], None],
    ) -> None:
        require_paho()
        self._address, self._last, self._will, self._own = address, last, will, own
        self._say = say
        self._lock = threading.Lock()
        self._wanted: dict[str, str] = {}
        self._starting, self._lost_said = True, False
        self._refusal: EdgeEffnetError | None = None
        self._answered, self._ending = threading.Event(), threading.Event()
        self._end_by_s = float("inf")
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def set(self, topic: str, payload: str) -> None:
        """What a topic holds from now on."""
        with self._lock:
            self._wanted[topic] = payload

    def start(self) -> None:
        """Connect. A broker that is away is tried again in the background.

        Raises:
            OutputError: it refuses us, or its certificate cannot be verified.
        """
        self._thread.start()
        if not self._answered.wait(START_S):
            self._tell_lost(f"{self._address.shown}: no answer in {START_S:.0f} s")
        with self._lock:
            self._starting = False
        if self._refusal is not None:
            raise self._refusal

    def end(self) -> None:
        """Publish what is missing, and go; the thread may be looking up a host, for minutes, and
        is left to it."""
        self._end_by_s = time.monotonic() + END_S
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(END_S + 0.5)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._ending.is_set():
            began_s = time.monotonic()
            try:
                self._serve()
            except EdgeEffnetError as error:
                with self._lock:
                    if self._starting:
                        self._refusal = error
                        self._answered.set()
                        return
                self._tell_lost(f"{error.what} ({error.found})")
            except ConnectionLost as error:
                self._tell_lost(f"{self._address.shown}: {error}")
            self._answered.set()
            if time.monotonic() - began_s >= LASTING_S:
                pause_s = FIRST_PAUSE_S
            self._ending.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _tell_lost(self, why: str) -> None:
        if not self._lost_said and not self._ending.is_set():
            self._lost_said = True
            self._say(f"{why}; it is tried again")

    def _serve(self) -> None:
        """One connection, until it is lost or ``end`` is called.

        Raises:
            ConnectionLost, OutputError: why there is none.
        """
        link = Link(self._address, will=(self._last, self._will), found=self._clear)
        try:
            link.connect()
            link.subscribe(self._own)
            if self._lost_said:
                self._lost_said = False
                self._say(f"{self._address.shown} is connected")
            self._answered.set()
            self._hold(link)
        finally:
            link.close()

    def _hold(self, link: Link) -> None:
        began_s = time.monotonic()
        try:
            while True:
                ending = self._ending.is_set()
                link.publish(self._missing(link))
                if ending and (link.idle or time.monotonic() >= self._end_by_s):
                    return
                link.loop()
        except ConnectionEnded as error:
            if time.monotonic() - began_s >= LASTING_S:
                raise
            # A broker ends the older of two connections of one name.
            hint = f"is another camera called {self._address.node}, too?"
            raise ConnectionEnded(f"{error} ({hint})") from None

    def _missing(self, link: Link) -> list[tuple[str, str]]:
        """What the broker does not have yet: whoever reads the last finds the others there."""
        with self._lock:
            wanted = [item for item in self._wanted.items() if link.sent.get(item[0]) != item[1]]
        return sorted(wanted, key=lambda item: item[0] == self._last)

    def _clear(self, topic: str) -> None:
        """Something is held in a topic that is ours: of a run with another model, it goes."""
        with self._lock:
            self._wanted.setdefault(topic, "")
