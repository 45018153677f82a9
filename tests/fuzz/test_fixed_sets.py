"""A short fixed set of damaged files of each kind; ``python -m tests.fuzz`` runs long ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.watched import AREAS, run

FEWER = {"tflite": 60}  # what looks whole runs in a process of its own first


@pytest.mark.parametrize("area", AREAS)
def test_damaged_files_are_read_or_refused(area: str, tmp_path: Path) -> None:
    ends = run(area, seed=1, cases=FEWER.get(area, 150), kept=tmp_path)
    assert set(ends) == {"read", "refused"}
    assert ends["refused"] > ends["read"] / 2
