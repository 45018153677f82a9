"""A short fixed set of damaged files of each kind; ``python -m tests.fuzz`` runs long ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.watched import AREAS, run

CASES = {"cards": 100, "images": 150, "json": 150, "states": 150, "tflite": 60, "weights": 25}
"""So many that a kind takes seconds: a .tflite and weights are read in a further process first."""


@pytest.mark.parametrize("area", AREAS)
def test_damaged_files_are_read_or_refused(area: str, tmp_path: Path) -> None:
    ends = run(area, seed=1, cases=CASES[area], kept=tmp_path)
    assert set(ends) == {"read", "refused"}
    assert ends["refused"] > ends["read"] / 2
