"""A tiny network, converted for Frigate once by the installed command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import RunCommand


@pytest.fixture(scope="package")
def front_door(
    edge_effnet: RunCommand,
    variant: Path,
    labels: Path,
    photos: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict, str]:
    """The folder, the JSON report, and what was said on stderr."""
    out = tmp_path_factory.mktemp("models") / "front_door"
    result = edge_effnet(
        *("convert", "--variant", variant, "--weights", "random", "--labels", labels),
        *("--data", photos, "--calibration-images", 30, "--for", "frigate"),
        *("--out", out, "--json", "-"),
    )
    assert result.returncode == 0, result.stderr
    return out, json.loads(result.stdout), result.stderr
