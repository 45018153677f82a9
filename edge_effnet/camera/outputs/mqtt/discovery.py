"""Topics, and the messages by which Home Assistant finds what a camera tells.

From its documentation of MQTT discovery: a retained configuration for each entity under
``homeassistant/COMPONENT/NODE/OBJECT/config``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_effnet import __version__
from edge_effnet.camera.outputs.mqtt.states import (
    ANSWER,
    LONGEST_STATE,
    MOST_LABELS,
    MOST_VALUES,
    label_keys,
    value_key,
)
from edge_effnet.heads.kinds import Task
from edge_effnet.printable import printable

PREFIX = "edge-effnet"
DISCOVERY = "homeassistant"
ONLINE, OFFLINE = "online", "offline"
MOST_OPTIONS = 100


@dataclass(frozen=True)
class Camera:
    """What is told of.

    Attributes:
        node: its name in topics and ids.
        labels: of the model; those of values are their outputs.
        none: the answer of no label.
    """

    node: str
    model_name: str
    task: Task
    labels: tuple[str, ...]
    none: str

    @property
    def availability_topic(self) -> str:
        return f"{PREFIX}/{self.node}/availability"

    @property
    def attributes_topic(self) -> str:
        return f"{PREFIX}/{self.node}/attributes"

    @property
    def discovery_filter(self) -> str:
        """Of all configurations that a run under this name ever made."""
        return f"{DISCOVERY}/+/{PREFIX}-{self.node}/+/config"

    def state_topic(self, key: str) -> str:
        return f"{PREFIX}/{self.node}/{key}"


def discovery(camera: Camera) -> dict[str, str]:
    """The configuration of each entity, by topic, as JSON."""
    entities = [_sensor(camera)] if camera.task != "value" else _values(camera)
    if camera.task == "labels" and len(camera.labels) <= MOST_LABELS:
        entities += [
            ("binary_sensor", key, {"name": printable(label)[:LONGEST_STATE]})
            for key, label in zip(label_keys(camera.labels), camera.labels, strict=True)
        ]
    return {
        f"{DISCOVERY}/{component}/{PREFIX}-{camera.node}/{key}/config": json.dumps(
            {**_common(camera, key), **own}, ensure_ascii=False
        )
        for component, key, own in entities
    }


_Entity = tuple[str, str, dict[str, Any]]


def _sensor(camera: Camera) -> _Entity:
    about: dict[str, Any] = {"name": "Answer", "icon": "mdi:eye"}
    options = _options([*camera.labels, camera.none])
    if camera.task == "classes" and len(options) <= MOST_OPTIONS:
        about |= {"device_class": "enum", "options": options}
    return ("sensor", ANSWER, {**about, "json_attributes_topic": camera.attributes_topic})


def _options(labels: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(printable(label)[:LONGEST_STATE] for label in labels))


def _values(camera: Camera) -> list[_Entity]:
    names = [printable(label)[:LONGEST_STATE] for label in camera.labels[:MOST_VALUES]]
    return [
        ("sensor", value_key(index), {"name": name, "state_class": "measurement"})
        for index, name in enumerate(names)
    ]


def _common(camera: Camera, key: str) -> dict[str, Any]:
    identifier = f"{PREFIX}-{camera.node}"
    return {
        "unique_id": f"{identifier}-{key}",
        "state_topic": camera.state_topic(key),
        "availability_topic": camera.availability_topic,
        "device": {
            "identifiers": [identifier],
            "name": camera.node,
            "manufacturer": "edge-effnet",
            "model": printable(camera.model_name),
            "sw_version": __version__,
        },
        "origin": {"name": "edge-effnet", "sw_version": __version__},
    }
