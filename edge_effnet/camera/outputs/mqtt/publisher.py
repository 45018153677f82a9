"""Publisher: a run's answers to an MQTT broker, as Home Assistant finds them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from edge_effnet.camera.answers import Decision
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.outputs.mqtt.address import BrokerAddress
from edge_effnet.camera.outputs.mqtt.connection import BrokerConnection
from edge_effnet.camera.outputs.mqtt.discovery import OFFLINE, ONLINE, Camera, discovery
from edge_effnet.camera.outputs.mqtt.states import ANSWER, SteadyStates, states_of
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.threads.queues import Clock
from edge_effnet.files.write import dump_json
from edge_effnet.printable import printable

ATTRIBUTES_EVERY_S = 60.0
"""Scores change with each frame; a state's change brings them at once."""


class Publisher:
    """Tells a broker each state that has held for ``steady_s``, retained, and whether the camera
    gives frames. It is online once an answer has held: before that the broker has one of a run or
    a view that is over, and Home Assistant would take it for news.

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
        self._camera, self._clock = camera, clock
        self._states = SteadyStates(steady_s, camera.task)
        self._latest: tuple[Decision, Frame, datetime] | None = None
        self._attributes_due_s = float("-inf")
        self._connection = BrokerConnection(
            address,
            last=camera.availability_topic,
            will=OFFLINE,
            own=camera.discovery_filter,
            say=say,
        )
        self._announce()
        self._connection.set(camera.availability_topic, OFFLINE)
        try:
            self._connection.start()
        except BaseException:
            self._connection.end()
            raise

    def see(self, shown: Decision, frame: Frame) -> None:
        self._latest = shown, frame, datetime.now().astimezone()
        self._tell()

    def take_over(self, settings: SessionSettings) -> None:
        """Its labels are answers too, which the broker's readers are told."""
        self._camera = replace(
            self._camera, model_name=settings.model_name, labels=settings.labels, none=settings.none
        )
        self._announce()

    def tick(self, *, away: bool) -> None:
        """An answer of before the camera went tells nothing of now."""
        if away and self._latest is not None:
            self._latest = None
            self._states.forget()
            self._connection.set(self._camera.availability_topic, OFFLINE)
        self._tell()

    def end(self) -> None:
        self._connection.set(self._camera.availability_topic, OFFLINE)
        self._connection.end()

    def _announce(self) -> None:
        for topic, about in discovery(self._camera).items():
            self._connection.set(topic, about)

    def _tell(self) -> None:
        """Say what the topics hold now."""
        if self._latest is None:
            return
        shown, frame, seen = self._latest
        now_s, camera = self._clock(), self._camera
        states = states_of(shown, camera.task, camera.labels)
        changed = self._states.changed(states, now_s)
        due = changed or now_s >= self._attributes_due_s
        # Scores of another answer than the one that is told would not belong to it.
        if due and camera.task != "value" and states[ANSWER] == self._states.told.get(ANSWER):
            self._attributes_due_s = now_s + ATTRIBUTES_EVERY_S
            self._connection.set(camera.attributes_topic, _attributes(shown, frame, seen, camera))
        for key, state in changed.items():  # behind its scores, which it is shown with
            self._connection.set(camera.state_topic(key), state)
        if self._states.settled:
            self._connection.set(camera.availability_topic, ONLINE)


def _attributes(shown: Decision, frame: Frame, seen: datetime, camera: Camera) -> str:
    return dump_json(
        {
            "score": round(shown.answers[0].score, 4),
            "best": {printable(item.label): round(item.score, 4) for item in shown.best},
            "frame": frame.number,
            "time": seen.isoformat(timespec="seconds"),
            "model": printable(camera.model_name),
        },
        indent=None,
    )
