"""Answers to an MQTT broker, in the form that Home Assistant finds by itself."""

from __future__ import annotations

from collections.abc import Callable

from edge_effnet.camera.outputs.mqtt.address import parse_broker
from edge_effnet.camera.outputs.mqtt.discovery import Camera
from edge_effnet.camera.outputs.mqtt.publisher import Publisher
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.setup.address_file import read_address_file
from edge_effnet.camera.setup.options import CameraOptions
from edge_effnet.heads.kinds import Task


def open_publisher(
    options: CameraOptions, settings: SessionSettings, task: Task, say: Callable[[str], None]
) -> Publisher:
    """Connect to the broker of ``--mqtt`` or ``--mqtt-file``.

    Raises:
        As ``parse_broker``, ``read_address_file`` and ``Publisher``.
    """
    option, text = "--mqtt", options.mqtt
    if options.mqtt_file is not None:
        example = "mqtts://user:password@broker.local/porch"
        option, text = "--mqtt-file", read_address_file(options.mqtt_file, "--mqtt", example)
    address = parse_broker(text or "", option)
    camera = Camera(address.node, settings.model_name, task, settings.labels, settings.none)
    return Publisher(address, camera, steady_s=options.mqtt_steady, say=say)
