"""A cache of its own for each test, and a base that knows nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.edge_effnet.conftest import MakeModel


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def base(colour_model: MakeModel) -> Path:
    return colour_model("base.tflite", weights=np.zeros((3, 3)))
