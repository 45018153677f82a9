"""Ray where it is installed; without it these tests are skipped and say so."""

from __future__ import annotations

import importlib.util

import pytest

HAS_RAY = importlib.util.find_spec("ray") is not None
with_ray = pytest.mark.skipif(not HAS_RAY, reason="needs Ray: pip install 'edge-effnet[ray]'")
without_ray = pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
