"""The peak of a process and of those that it starts."""

from __future__ import annotations

import sys

import pytest

from benchmarks.studies.convert_memory import measure_peak
from edge_effnet.errors import EdgeEffnetError

_BYTES = 100_000_000
CHILD = f"import time; held = bytearray({_BYTES}); time.sleep(1)"
PARENT = f"""
import subprocess, sys
held = bytearray({_BYTES})
subprocess.run([sys.executable, "-c", {CHILD!r}], check=True)
"""


def test_children_count() -> None:
    peak = measure_peak([sys.executable, "-c", PARENT])
    assert 2 * _BYTES < peak.bytes < 2.5 * _BYTES
    assert peak.seconds > 1


def test_a_command_that_fails_is_an_error() -> None:
    with pytest.raises(EdgeEffnetError, match="exit code 3"):
        measure_peak([sys.executable, "-c", "raise SystemExit(3)"])
