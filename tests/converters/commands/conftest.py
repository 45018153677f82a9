"""A network that the installed command converted once, for all tests of ``convert``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import RunCommand


@pytest.fixture(scope="package")
def converted(
    edge_effnet: RunCommand,
    variant: Path,
    labels: Path,
    photos: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict]:
    """A tiny network with random weights, converted once: the folder and the JSON report."""
    out = tmp_path_factory.mktemp("out")
    result = edge_effnet(
        *("convert", "--variant", variant, "--weights", "random", "--resolution", 64),
        *("--int8", "--float16", "--labels", labels, "--data", photos, "--out", out),
        *("--calibration-images", 30, "--json", "-"),
    )
    assert result.returncode == 0, result.stderr
    assert "weights of b0-phi-8 are random" in result.stderr
    return out, json.loads(result.stdout)
