"""Skips where no mosquitto can be had."""

from __future__ import annotations

import pytest

from tests import debian
from tests.edge_effnet.camera.outputs.mqtt.broker import programs


@pytest.fixture(scope="session")
def mosquitto() -> list[str]:
    """The words that start the broker."""
    try:
        return programs("mosquitto")
    except debian.Impossible as reason:
        pytest.skip(f"no MQTT broker here: {reason}")
