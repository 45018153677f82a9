"""Publisher: a run's answers to an MQTT broker, which may go away and come back."""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from edge_effnet.camera.answers import Decision
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.outputs.mqtt.address import BrokerAddress
from edge_effnet.camera.outputs.mqtt.discovery import (
    OFFLINE,
    ONLINE,
    Camera,
    discovery,
)
from edge_effnet.camera.outputs.mqtt.states import ANSWER, SteadyStates, states_of
from edge_effnet.camera.queues import Clock
from edge_effnet.errors import EdgeEffnetError, MissingExtra, OutputError
from edge_effnet.printable import printable
from edge_effnet.system.native_threads import NativeThread

KEEP_ALIVE_S = 30
"""A broker that hears nothing for one and a half of it publishes the last will."""
ATTRIBUTES_EVERY_S = 60.0
"""Scores change with each frame; a state's change brings them at once."""
FIRST_ANSWER_S = 8.0
GOODBYE_S = 1.0
LONGEST_PAUSE_S = 60
_BUSY = "Server unavailable"
"""The one refusal that passes by itself."""


class Publisher:
    """Tells a broker each state that has held for ``steady_s``, retained, and whether the camera
    gives frames.

    While the broker is away only the latest states are kept; it gets them, and the configurations
    for Home Assistant, when it is back. So quality of service 0 does: with 1 the client would send
    what was under way again, behind what is newer.

    Args:
        say: called from another thread too.

    Raises:
        MissingExtra: paho-mqtt is not installed.
        OutputError: the broker refuses, or its certificate cannot be verified. One that cannot be
            reached is tried again for ever.
    """

    problem = None

    def __init__(
        self,
        address: BrokerAddress,
        camera: Camera,
        *,
        steady_s: float,
        say: Callable[[str], None],
        clock: Clock = time.monotonic,
    ) -> None:
        self._address, self._camera, self._say, self._clock = address, camera, say, clock
        self._states = SteadyStates(steady_s, camera.task)
        self._latest: tuple[Decision, Frame] | None = None
        self._attributes: str | None = None
        self._attributes_due_s = float("-inf")
        self._away, self._connected, self._lost_said = False, False, False
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._refusal: str | None = None
        self._insecure: str | None = None
        self._client = self._make_client()
        self._connect()

    # From the session's thread

    def see(self, shown: Decision, frame: Frame) -> None:
        self._latest = (shown, frame)
        self._tell()

    def tick(self, *, away: bool) -> None:
        if away != self._away:
            with self._lock:
                self._away = away
                self._publish(self._camera.availability_topic, OFFLINE if away else ONLINE)
        self._tell()

    def end(self) -> None:
        with self._lock:
            connected, self._connected = self._connected, False
        if connected:
            last = self._client.publish(self._camera.availability_topic, OFFLINE, 1, retain=True)
            with suppress(RuntimeError, ValueError):  # gone meanwhile: the last will says the same
                last.wait_for_publish(GOODBYE_S)
        self._stop()

    def _stop(self) -> None:
        """Its thread may be looking up a host, for minutes: it is not waited for so long."""
        self._client.disconnect()
        stopping = NativeThread(self._client.loop_stop, "mqtt stop")
        stopping.start()
        stopping.join(GOODBYE_S)

    def _tell(self) -> None:
        """Publish what is due."""
        if self._latest is None or self._away:
            return
        shown, frame = self._latest
        now_s, camera = self._clock(), self._camera
        with self._lock:
            states = states_of(shown, camera.task, camera.labels)
            changed = self._states.changed(states, now_s)
            same = states.get(ANSWER) == self._states.told.get(ANSWER)
            if same and camera.task != "value" and (changed or now_s >= self._attributes_due_s):
                self._attributes_due_s = now_s + ATTRIBUTES_EVERY_S
                self._attributes = _attributes(shown, frame, camera)
                self._publish(camera.attributes_topic, self._attributes)
            for key, state in changed.items():  # behind its scores, which it is shown with
                self._publish(camera.state_topic(key), state)

    def _publish(self, topic: str, payload: str) -> None:
        """With the lock held; while the broker is away, nothing."""
        if self._connected:
            self._client.publish(topic, payload, qos=0, retain=True)

    # From the client's thread

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            self._refusal = str(reason) if str(reason) != _BUSY else None
            self._answered.set()
            self._lost(f"it refuses: {reason}")
            return
        camera = self._camera
        with self._lock:
            self._connected = True
            for topic, about in discovery(camera).items():
                self._publish(topic, about)
            for key, state in self._states.told.items():
                self._publish(camera.state_topic(key), state)
            if self._attributes is not None:
                self._publish(camera.attributes_topic, self._attributes)
            self._publish(camera.availability_topic, OFFLINE if self._away else ONLINE)
        self._answered.set()
        if self._lost_said:
            self._lost_said = False
            self._say(f"{self._address.shown} is back")

    def _on_disconnect(self, _c: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        with self._lock:
            ended, self._connected = not self._connected, False
        if not ended:
            self._lost(str(reason))

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        error = sys.exception()  # the client calls this where it handles it
        reason = _reason(error)
        self._insecure = reason if isinstance(error, ssl.SSLError) else None
        self._answered.set()
        self._lost(f"it cannot be reached ({reason})")

    def _lost(self, why: str) -> None:
        if not self._lost_said:
            self._lost_said = True
            self._say(f"{self._address.shown}: {why}; trying on")

    # At the start

    def _make_client(self) -> Any:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise MissingExtra("paho-mqtt", "mqtt", "--mqtt") from error
        address = self._address
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"edge-effnet-{address.node}")
        if address.user is not None:
            client.username_pw_set(address.user, address.password)
        if address.tls:
            client.tls_set_context(ssl.create_default_context())
        client.will_set(self._camera.availability_topic, OFFLINE, qos=1, retain=True)
        client.reconnect_delay_set(1, LONGEST_PAUSE_S)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        return client

    def _connect(self) -> None:
        """Begin to try for ever; what no second try mends is told now."""
        self._client.connect_async(self._address.host, self._address.port, KEEP_ALIVE_S)
        self._client.loop_start()
        try:
            if not self._answered.wait(FIRST_ANSWER_S):
                self._lost(f"no answer in {FIRST_ANSWER_S:.0f} s")
        except BaseException:
            self._stop()
            raise
        if self._insecure is not None:
            fix = "give the host as its certificate names it, and name an authority of its own "
            fix += "by SSL_CERT_FILE=ca.pem"
            raise self._refused("the connection is not secure", self._insecure, fix)
        if self._refusal is not None:
            raise self._refused("it refuses", self._refusal, "check user and password")

    def _refused(self, what: str, found: str, fix: str) -> EdgeEffnetError:
        self._stop()
        return OutputError(f"{self._address.shown}: {what}", found=found, fix=fix)


def _reason(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return printable(error.verify_message.rstrip("."))
    return printable((error.strerror if isinstance(error, OSError) else None) or str(error))


def _attributes(shown: Decision, frame: Frame, camera: Camera) -> str:
    best = {printable(item.label): round(item.score, 4) for item in shown.best}
    score = round(shown.answers[0].score, 4)
    about = {"score": score, "best": best, "frame": frame.number, "model": camera.model_name}
    return json.dumps(about, ensure_ascii=False)
