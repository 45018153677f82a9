"""The board's temperature and throttling, and the rate that follows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_effnet.camera.thermal import BoardHealth, BoardMonitor, board_health, next_limit
from edge_effnet.measure.system_state import read_system_state
from tests.edge_effnet.camera.conftest import wait_for


def board(tmp_path: Path, temperature_c: float, throttled: str) -> BoardHealth:
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True, exist_ok=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text(f"{1000 * temperature_c:.0f}\n")
    firmware = tmp_path / "sys/devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True, exist_ok=True)
    (firmware / "get_throttled").write_text(throttled)
    monitor = BoardMonitor(every_s=0.01, read=lambda: read_system_state(tmp_path))
    monitor.start()
    wait_for(lambda: monitor.health.temperature_c is not None)
    monitor.end()
    return monitor.health


def test_the_boards_state(tmp_path: Path) -> None:
    assert board(tmp_path, 51.5, "50000") == BoardHealth(51.5, ())  # happened once, not now
    hot = board(tmp_path, 84.0, "5000d")
    assert hot.temperature_c == 84.0
    assert "throttled" in hot.throttled
    assert "under-voltage" in hot.throttled
    assert board_health(read_system_state(tmp_path / "elsewhere")) == BoardHealth(None, ())


def test_the_rate_falls_while_it_is_hot_and_rises_slowly() -> None:
    hot, warm, cool = BoardHealth(82.0), BoardHealth(78.0), BoardHealth(60.0)
    assert next_limit(None, 30.0, cool, 80, None) is None
    limit = next_limit(None, 30.0, hot, 80, None)
    assert limit == pytest.approx(22.5)
    limit = next_limit(limit, 22.0, hot, 80, None)
    assert limit == pytest.approx(16.5)
    assert next_limit(limit, 16.5, warm, 80, None) == limit  # no swinging
    risen = next_limit(limit, 16.5, cool, 80, None)
    assert risen is not None
    assert limit < risen < 20
    assert next_limit(28.0, 15.0, cool, 80, None) is None  # it does not bind any more
    assert next_limit(9.5, 9.5, cool, 80, 10.0) == 10.0  # never above what was asked
    assert next_limit(10.0, 9.9, BoardHealth(50.0, ("throttled",)), 80, 10.0) == pytest.approx(
        7.425
    )
    assert next_limit(0.5, 0.5, hot, 80, None) == 0.5
    assert next_limit(None, 0.0, hot, 80, None) is None  # nothing runs yet
